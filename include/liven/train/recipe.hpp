#pragma once

#include <span>
#include <string_view>

#include "liven/train/settings.hpp"

namespace liven {

/// A named set of settings for one model. The names:
///
///     default               what works on a few hundred to a few thousand pictures
///     paper-k-<data set>    Kuznetsov et al. 2026, one data set: own, replay-attack, csmad, 3dmad, msspoof (table 6)
///     paper-k-combined      the same paper, five data sets together (table 10)
///     lgsc                  LGSC's published code (Feng et al. 2020; lgsc only)
///     paper-a               the real-time method with spoof cues (lgsc only)
///     paper-m               the margin-based method, 64 x 64 (LivenessNet only)
///     paper-a               the comparison set of the real-time method (resnet18, se-resnet18, googlenet)
///     paper-w               Wagale and Agarkar (resnet50-gru)
struct Recipe {
    std::string_view name, model, source;
    double learning_rate = 0, dropout = 0;
    void (*apply)(const Recipe& recipe, TrainSettings& settings) = nullptr;
};
std::span<const Recipe> recipes();
/// The settings of a model under a recipe. Throws Error naming the recipes of the model.
TrainSettings settings_of(std::string_view model, std::string_view recipe = "default");

}  // namespace liven
