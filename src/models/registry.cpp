#include "liven/models/registry.hpp"

#include <array>

#include "liven/core/error.hpp"
#include "liven/models/attacknet.hpp"
#include "liven/models/livenessnet.hpp"

namespace liven {
namespace {

/// The options that `preset` names, and the map without it.
template <class Model>
typename Model::Options resolved(OptionMap map) {
    auto preset = map.extract("preset");
    const bool paper = preset && preset.mapped() == "paper";
    if (preset && preset.mapped() != "paper" && preset.mapped() != "code")
        throw Error("preset", "expected code or paper, got '" + preset.mapped() + "'");
    return options_from("model", map, paper ? Model::paper() : Model::defaults());
}

template <class Model>
ModelInfo entry(std::string_view name, std::string_view title, std::string_view summary) {
    return {.name = name,
            .title = title,
            .summary = summary,
            .input = {},
            .make = [](const OptionMap& map) -> std::unique_ptr<Module> {
                return std::make_unique<Model>(resolved<Model>(map));
            },
            .options = [](const OptionMap& map) { return options_to_map(resolved<Model>(map)); }};
}

const std::array<ModelInfo, 4>& table() {
    static const std::array<ModelInfo, 4> all = [] {
        std::array<ModelInfo, 4> entries{
            entry<LivenessNet>("livenessnet", "LivenessNet",
                               "two convolution blocks and a dense layer (Rosebrock 2019)"),
            entry<AttackNetV1>("attacknet-v1", "AttackNet V1",
                               "two phases, concatenated shortcut (Kuznetsov et al. 2026)"),
            entry<AttackNetV21>("attacknet-v2.1", "AttackNet V2.1",
                                "V1 with more dropout and tanh (Kuznetsov et al. 2026)"),
            entry<AttackNetV22>("attacknet-v2.2", "AttackNet V2.2",
                                "two phases, added shortcut (Kuznetsov et al. 2026)")};
        for (ModelInfo& info : entries) info.input = {256, 256, 3};
        return entries;
    }();
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
