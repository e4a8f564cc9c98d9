#pragma once

#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/data/preprocess.hpp"

namespace liven::data {

/// What a sample shows, as the preprocessing frames it: one picture, or the frames of its clip. Throws Error when a
/// file is broken or a video ends too early.
std::vector<Image> decode_frames(const Sample& sample, const Preprocess& preprocess);

}  // namespace liven::data
