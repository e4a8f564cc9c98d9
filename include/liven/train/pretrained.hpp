#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "liven/io/safetensors.hpp"
#include "liven/models/options.hpp"
#include "liven/nn/module.hpp"
#include "liven/train/settings.hpp"

namespace liven {

/// What a file of weights gave a model, by the model's names and the file's.
struct PretrainedMatch {
    std::string naming;  ///< whose names the file has
    int64_t matched = 0;
    std::vector<std::string> missing;  ///< states of the model that the file does not hold: they keep their values
    std::vector<std::string> surplus;  ///< tensors of the file that found no place

    /// "318 tensors by the names of Keras; not in the file: ...; not used: ..."; long lists are cut.
    std::string str() const;
};

/// Weights trained elsewhere: a safetensors file with the names of
///
///     torchvision   layer2.0.conv1.weight, bn1.running_mean    kernels OIHW, matrices out x in
///     Keras         conv3_block1_1_conv/kernel, conv1_bn/gamma  kernels HWIO, matrices in x out
///     Keras 2015    res3a_branch2a/kernel, bn_conv1/gamma       the same; batch-norm epsilon 1e-3
///     Liven         layer2.0/conv1/kernel                       the same
///
/// The file's metadata may state otherwise: `kernel_layout` is HWIO or OIHW, `bn_epsilon` a number.
class Pretrained {
public:
    /// Reads the header. Throws Error when the file is damaged or its names are nobody's.
    explicit Pretrained(const std::filesystem::path& path);

    /// Of the batch-norms as they were trained.
    float bn_epsilon() const { return epsilon_; }
    /// How pixels were prepared for it: imagenet (torchvision) or caffe (Keras' residual networks).
    std::string_view normalization() const;
    /// Options of a model that the weights ask for, among those it has: bn_epsilon; variant or backbone.
    OptionMap options(std::string_view model) const;

    /// What would be loaded into a model, whose states need only be outlined. Throws Error listing what is missing or
    /// surplus of the encoder's own layers, and what has another shape.
    PretrainedMatch match(Module& model) const;
    /// Loads it.
    PretrainedMatch load(Module& model) const;

private:
    struct Plan;
    Plan plan(Module& model) const;
    HostTensor read(const std::string& name, const Shape& shape) const;

    std::filesystem::path path_;
    SafetensorsReader reader_;
    size_t naming_ = 0;
    bool oihw_ = false;
    float epsilon_ = 1e-5f;
};

/// True for models with an encoder that published weights exist for.
bool takes_pretrained(std::string_view model);

/// Fills what the settings of a new run leave to the pretrained weights: the model's options (see Pretrained::options),
/// the normalization "pretrained", and for the recipe `default` of a clip network the frozen backbone, its frames
/// unchanged. Options that are set stay as they are.
void resolve_pretrained(TrainSettings& settings);

}  // namespace liven
