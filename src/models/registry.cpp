#include "liven/models/registry.hpp"

#include <array>

#include "liven/core/error.hpp"
#include "liven/models/attacknet.hpp"
#include "liven/models/googlenet.hpp"
#include "liven/models/lgsc.hpp"
#include "liven/models/livenessnet.hpp"
#include "liven/models/resnet.hpp"
#include "liven/models/resnet50.hpp"
#include "liven/models/resnet50_gru.hpp"
#include "liven/models/se_resnet.hpp"

namespace liven {
namespace {

/// The options that `preset` names, and the map without it. A model that no paper of ours describes otherwise than its
/// published code has the latter's values alone.
template <class Model>
typename Model::Options resolved(OptionMap map) {
    const auto preset = map.extract("preset");
    const std::string name = preset ? preset.mapped() : "code";
    if constexpr (requires { Model::paper(); }) {
        if (name == "paper") return options_from("model", map, Model::paper());
        if (name != "code") throw Error("preset", "expected code or paper, got '" + name + "'");
    } else if (name != "code") {
        throw Error("preset", "expected code, got '" + name + "'", "this model has no other");
    }
    return options_from("model", map, Model::defaults());
}

template <class Model>
ModelInfo entry(std::string_view name, std::string_view title, std::string_view summary, const Shape& input) {
    return {.name = name,
            .title = title,
            .summary = summary,
            .input = input,
            .make = [](const OptionMap& map) -> std::unique_ptr<Module> {
                return std::make_unique<Model>(resolved<Model>(map));
            },
            .options = [](const OptionMap& map) { return options_to_map(resolved<Model>(map)); },
            .deployed =
                [](const OptionMap& map) {
                    const typename Model::Options options = resolved<Model>(map);
                    if constexpr (requires { Model::deployed(options); })
                        return options_to_map(Model::deployed(options));
                    else
                        return options_to_map(options);
                }};
}

std::span<const ModelInfo> table() {
    const Shape paper_k{256, 256, 3}, imagenet{224, 224, 3};
    static const std::array all{
        entry<LivenessNet>("livenessnet", "LivenessNet", "two convolution blocks and a dense layer (Rosebrock 2019)",
                           paper_k),
        entry<AttackNetV1>("attacknet-v1", "AttackNet V1", "two phases, concatenated shortcut (Kuznetsov et al. 2026)",
                           paper_k),
        entry<AttackNetV21>("attacknet-v2.1", "AttackNet V2.1", "V1 with more dropout and tanh (Kuznetsov et al. 2026)",
                            paper_k),
        entry<AttackNetV22>("attacknet-v2.2", "AttackNet V2.2", "two phases, added shortcut (Kuznetsov et al. 2026)",
                            paper_k),
        entry<ResNet18>("resnet18", "ResNet-18", "eight residual blocks (He et al. 2016)", imagenet),
        entry<SeResNet18>("se-resnet18", "SE-ResNet-18", "ResNet-18 with scaled channels (Hu et al. 2018)", imagenet),
        entry<ResNet50>("resnet50", "ResNet-50", "sixteen bottleneck blocks (He et al. 2016)", imagenet),
        entry<GoogLeNet>("googlenet", "GoogLeNet", "nine inception blocks (Szegedy et al. 2015)", imagenet),
        entry<ResNet50Gru>("resnet50-gru", "ResNet-50 + GRU", "clips of five frames (Wagale and Agarkar)",
                           {5, 224, 224, 3}),
        entry<Lgsc>("lgsc", "LGSC", "spoof-cue U-Net on a ResNet-18 encoder (Feng et al. 2020)", imagenet)};
    return all;
}

}  // namespace

std::span<const ModelInfo> models() { return table(); }

const ModelInfo& model_info(std::string_view name) {
    std::string names;
    for (const ModelInfo& info : models()) {
        if (info.name == name) return info;
        names += (names.empty() ? "" : ", ") + std::string(info.name);
    }
    throw Error("model", "there is no model '" + std::string(name) + "'", "the models are " + names);
}

std::unique_ptr<Module> make_model(std::string_view name, const OptionMap& options) {
    return model_info(name).make(options);
}

}  // namespace liven
