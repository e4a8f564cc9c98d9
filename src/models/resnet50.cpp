#include "liven/models/resnet50.hpp"

#include <algorithm>
#include <array>

#include "liven/core/error.hpp"

namespace liven {

ResNetTrunk<Bottleneck>::Options ResNet50TrunkOptions::trunk() const {
    if (variant != "v1.5" && variant != "keras-v1")
        throw Error("resnet50", "expected the variant v1.5 or keras-v1, got '" + variant + "'");
    constexpr std::array<std::string_view, 6> parts{"conv1", "layer1", "layer2", "layer3", "layer4", "fc"};
    const auto part = std::find(parts.begin(), parts.end(), train_from);
    if (part == parts.end())
        throw Error("resnet50",
                    "expected train_from as conv1, layer1, layer2, layer3, layer4 or fc, got '" + train_from + "'");
    const bool first = variant == "keras-v1";
    BatchNorm::Options norm = resnet_norm();
    norm.momentum = bn_momentum;
    norm.epsilon = bn_epsilon;
    return {.depths = {3, 4, 6, 3},
            .frozen = part - parts.begin(),
            .bias = first,
            .norm = norm,
            .block = {.stride_first = first, .bias = first}};
}

}  // namespace liven
