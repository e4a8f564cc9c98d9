#include "liven/train/cue_picture.hpp"

#include <algorithm>
#include <string>

#include "liven/core/error.hpp"
#include "liven/data/sheet.hpp"

namespace liven {
namespace {

constexpr double kLeastFull = 0.02;  // a threshold of 1 would light up rounding errors

std::unique_ptr<Objective> objective_with_map(Module& model) {
    auto objective = model.objective();
    if (!objective->maps())
        throw Error("cue map", std::string(model.type()) + " does not show where its scores come from",
                    "lgsc is a model that does");
    return objective;
}

}  // namespace

CuePainter::CuePainter(Module& model, const ModelFileInfo& info)
    : preprocess_(info.preprocess),
      objective_(objective_with_map(model)),
      session_(model, info.input),
      full_(std::clamp(2 * (1 - info.threshold.value), kLeastFull, 1.0)) {}

data::Image CuePainter::operator()(const data::Image& frame) {
    std::vector<float> pixels(frame.pixels.size());
    preprocess_.to_float(frame, pixels.data());
    return (*this)(session_.run(pixels));
}

data::Image CuePainter::operator()(std::span<const float> output) const {
    return data::colour_map(objective_->map(output), preprocess_.width, preprocess_.height, full_);
}

}  // namespace liven
