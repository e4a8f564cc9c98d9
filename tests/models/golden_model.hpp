#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "liven/models/registry.hpp"
#include "tests/golden/formula.hpp"
#include "tests/golden/golden_file.hpp"

/// The four CNNs with the parameters and inputs of the golden values.
namespace golden {

inline void fill(liven::Module& model, int64_t salt) {
    for (liven::State state : model.states())
        state.assign(parameter(state.name(), state.shape(), salt).values<float>());
}

/// Built, filled, without dropout and L2.
inline std::unique_ptr<liven::Module> make(std::string_view name, const liven::Shape& input, int64_t salt) {
    auto model = liven::make_model(name, name == "livenessnet"
                                             ? liven::OptionMap{{"dropout", "0"}, {"l2", "0"}}
                                             : liven::OptionMap{{"dropout", "0"}, {"l2", "0"}, {"dense_l2", "0"}});
    model->build(input);
    fill(*model, salt);
    return model;
}

struct Batch {
    liven::Tensor images, labels;
};
/// `prefix` is "" or "curve/", `suffix` "" or "/<step>".
inline Batch batch(const liven::Shape& shape, int64_t salt, const std::string& prefix = {},
                   const std::string& suffix = {}) {
    const HostTensor classes = labels(prefix + "target" + suffix, shape[0], salt);
    const HostTensor pixels = images(prefix + "input" + suffix, shape, classes, salt);
    std::vector<int32_t> indices;
    for (int64_t label : classes.values<int64_t>()) indices.push_back(static_cast<int32_t>(label));
    return {.images = liven::Tensor::from(pixels.values<float>(), shape),
            .labels = liven::Tensor::from(std::span<const int32_t>(indices), {shape[0]})};
}

/// How far a tensor lies from what is stored under `name`: whole, or as norm and samples.
inline double distance_from(const File& file, const std::string& name, const liven::Tensor& tensor, int64_t salt) {
    if (file.has(name)) return distance(tensor.data<float>(), file(name).data<float>());
    const auto values = tensor.data<float>();
    const liven::Tensor samples = file(name + "#samples");
    double norm = 0;
    for (float value : values) norm += static_cast<double>(value) * static_cast<double>(value);
    const double expected = static_cast<double>(file.number(name + "#norm"));
    std::vector<float> mine;
    for (int64_t j = 0; j < samples.shape().count(); ++j)
        mine.push_back(values[static_cast<size_t>(place(name, j, tensor.shape().count(), salt))]);
    return std::max(std::abs(std::sqrt(norm) - expected) / expected, distance(mine, samples.data<float>()));
}

}  // namespace golden
