#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "liven/core/attributes.hpp"
#include "src/reference/array.hpp"

/// Sums, maxima and moments over axes, softmax over the last axis, and one-hot rows.
namespace liven::reference {

/// Which result element takes each element of the source: the reduced axes collapse.
class ReducedIndex {
public:
    ReducedIndex(const Shape& src, uint32_t axes) : src_(src) {
        int64_t stride = 1;
        for (int axis = src.rank() - 1; axis >= 0; --axis) {
            if (axes >> axis & 1u) continue;
            strides_[static_cast<size_t>(axis)] = stride;
            stride *= src[axis];
        }
        count_ = stride;
    }

    int64_t operator()(int64_t index) const {
        int64_t at = 0;
        for (int axis = src_.rank() - 1; axis >= 0; --axis) {
            at += index % src_[axis] * strides_[static_cast<size_t>(axis)];
            index /= src_[axis];
        }
        return at;
    }
    /// How many results there are.
    size_t count() const { return static_cast<size_t>(count_); }

private:
    Shape src_;
    AxisArray strides_{};
    int64_t count_ = 1;
};

inline ReducedIndex reduced_index(const void* attributes, const Shape& src) {
    return {src, static_cast<const ReduceAttributes*>(attributes)->axes};
}

template <class T>
void store(const std::vector<double>& values, const Array<T>& dst) {
    std::transform(values.begin(), values.end(), dst.real(), [](double value) { return static_cast<T>(value); });
}

template <class T>
void reduce_sum(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const ReducedIndex index = reduced_index(attributes, inputs[0].shape);
    std::vector<double> sum(index.count(), 0.0);
    for (int64_t i = 0; i < inputs[0].count(); ++i)
        sum[static_cast<size_t>(index(i))] += static_cast<double>(inputs[0].real()[i]);
    store(sum, outputs[0]);
}

/// NaN wins over numbers.
template <class T>
void reduce_max(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const ReducedIndex index = reduced_index(attributes, inputs[0].shape);
    std::vector<double> most(index.count(), -std::numeric_limits<double>::infinity());
    for (int64_t i = 0; i < inputs[0].count(); ++i) {
        const auto value = static_cast<double>(inputs[0].real()[i]);
        double& best = most[static_cast<size_t>(index(i))];
        if (value > best || value != value) best = value;
    }
    store(most, outputs[0]);
}

/// The mean, then the mean of the squared deviations from it.
template <class T>
void moments(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const ReducedIndex index = reduced_index(attributes, inputs[0].shape);
    const double share = static_cast<double>(index.count()) / static_cast<double>(inputs[0].count());
    std::vector<double> mean(index.count(), 0.0), variance(index.count(), 0.0);
    for (int64_t i = 0; i < inputs[0].count(); ++i)
        mean[static_cast<size_t>(index(i))] += share * static_cast<double>(inputs[0].real()[i]);
    for (int64_t i = 0; i < inputs[0].count(); ++i) {
        const auto at = static_cast<size_t>(index(i));
        const double deviation = static_cast<double>(inputs[0].real()[i]) - mean[at];
        variance[at] += share * deviation * deviation;
    }
    store(mean, outputs[0]);
    store(variance, outputs[1]);
}

/// log(sum(exp(row))) without overflow.
template <class T>
double log_sum_exp(const T* row, int64_t channels) {
    const auto most = static_cast<double>(*std::max_element(row, row + channels));
    double sum = 0;
    for (int64_t c = 0; c < channels; ++c) sum += std::exp(static_cast<double>(row[c]) - most);
    return most + std::log(sum);
}

template <class T>
void log_softmax(const void*, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const int64_t channels = inputs[0].shape[-1];
    for (int64_t i = 0; i < inputs[0].count(); i += channels) {
        const T* row = inputs[0].real() + i;
        const double scale = log_sum_exp(row, channels);
        for (int64_t c = 0; c < channels; ++c)
            outputs[0].real()[i + c] = static_cast<T>(static_cast<double>(row[c]) - scale);
    }
}

template <class T>
void softmax(const void*, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const int64_t channels = inputs[0].shape[-1];
    for (int64_t i = 0; i < inputs[0].count(); i += channels) {
        const T* row = inputs[0].real() + i;
        const double scale = log_sum_exp(row, channels);
        for (int64_t c = 0; c < channels; ++c)
            outputs[0].real()[i + c] = static_cast<T>(std::exp(static_cast<double>(row[c]) - scale));
    }
}

/// An index outside the classes gives a row of zeros.
template <class T>
void one_hot(const void*, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const int64_t classes = outputs[0].shape[-1];
    for (int64_t row = 0; row < inputs[0].count(); ++row)
        for (int64_t c = 0; c < classes; ++c)
            outputs[0].real()[row * classes + c] = T{inputs[0].i32()[row] == c ? 1.0f : 0.0f};
}

/// The reference of that name, or null.
template <class T>
Function<T> reduce_function(std::string_view name) {
    if (name == "reduce_sum") return reduce_sum<T>;
    if (name == "reduce_max") return reduce_max<T>;
    if (name == "moments") return moments<T>;
    if (name == "softmax") return softmax<T>;
    if (name == "log_softmax") return log_softmax<T>;
    if (name == "one_hot") return one_hot<T>;
    return nullptr;
}

}  // namespace liven::reference
