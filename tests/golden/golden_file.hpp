#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "liven/graph/tensor.hpp"
#include "liven/io/npy.hpp"

/// The golden values as tensors, and how far a tensor lies from them.
namespace golden {

class File {
public:
    explicit File(const std::string& name) : reader_(std::string(LIVEN_GOLDEN) + "/" + name) {}

    bool has(const std::string& name) const { return reader_.has(name); }
    const liven::NpzReader& reader() const { return reader_; }
    /// f32 as it is, i64 classes as i32.
    liven::Tensor operator()(const std::string& name) const {
        const liven::HostTensor host = reader_.read(name);
        if (host.dtype != liven::DType::i64) return liven::Tensor::from(host.values<float>(), host.shape);
        std::vector<int32_t> classes;
        for (int64_t value : host.values<int64_t>()) classes.push_back(static_cast<int32_t>(value));
        return liven::Tensor::from(std::span<const int32_t>(classes), host.shape);
    }
    liven::Tensor real(const std::string& name) const {
        const liven::HostTensor host = reader_.read(name);
        if (host.dtype != liven::DType::i64) return liven::Tensor::from(host.values<float>(), host.shape);
        std::vector<float> values;
        for (int64_t value : host.values<int64_t>()) values.push_back(static_cast<float>(value));
        return liven::Tensor::from(std::span<const float>(values), host.shape);
    }
    float number(const std::string& name) const { return reader_.read(name).values<float>()[0]; }
    int64_t integer(const std::string& name, size_t i = 0) const { return reader_.read(name).values<int64_t>()[i]; }

private:
    liven::NpzReader reader_;
};

/// ||a - b|| / ||b||, or ||a - b|| when b is 0.
inline double distance(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) return INFINITY;
    double difference = 0, norm = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
        norm += std::pow(static_cast<double>(b[i]), 2);
    }
    return std::sqrt(difference) / (norm > 0 ? std::sqrt(norm) : 1.0);
}
inline double distance(const liven::Tensor& a, const liven::Tensor& b) {
    if (!(a.shape() == b.shape())) return INFINITY;
    return distance(a.data<float>(), b.data<float>());
}

}  // namespace golden
