#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "liven/models/options.hpp"
#include "liven/nn/module.hpp"

namespace liven {

/// A model that can be asked for by name.
struct ModelInfo {
    std::string_view name;     ///< "attacknet-v2.2"
    std::string_view title;    ///< "AttackNet V2.2"
    std::string_view summary;  ///< one line, with the source
    Shape input;               ///< H x W x C when nothing else is said
    /// The model with options set by name over its defaults; "preset" = "code" or "paper" chooses the defaults.
    std::unique_ptr<Module> (*make)(const OptionMap& options);
    /// Every option with the value it gets, after `options` have been set.
    OptionMap (*options)(const OptionMap& options);
    /// The same for what is left of the model at inference: a network that is trained beside it is gone. Its states are
    /// a part of the trained model's, under the same names.
    OptionMap (*deployed)(const OptionMap& options);
};

std::span<const ModelInfo> models();
/// Throws Error naming the models when there is none of that name.
const ModelInfo& model_info(std::string_view name);
std::unique_ptr<Module> make_model(std::string_view name, const OptionMap& options = {});

}  // namespace liven
