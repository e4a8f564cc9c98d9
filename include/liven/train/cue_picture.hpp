#pragma once

#include <filesystem>
#include <functional>
#include <span>

#include "liven/data/dataset.hpp"
#include "liven/data/image.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/model_file.hpp"

/// Pictures of where a score comes from (Objective::map).
namespace liven {

/// A network that shows where its scores come from, ready to do so.
class CuePainter {
public:
    /// Throws Error when the network's objective has no map. The model must outlive the painter.
    explicit CuePainter(LoadedModel& model) : CuePainter(*model.model, model.info) {}
    CuePainter(Module& model, const ModelFileInfo& info);

    /// The map in colour, as large as the network's input. Half of the colours lie below the mean that the threshold
    /// stands for: a bona fide face is dark.
    data::Image operator()(const data::Image& frame);
    /// The same of what the network has already given.
    data::Image operator()(std::span<const float> output) const;

private:
    data::Preprocess preprocess_;
    std::unique_ptr<Objective> objective_;
    InferenceSession session_;
    double full_;
};

}  // namespace liven
