#pragma once

#include <filesystem>

#include "liven/data/loader.hpp"
#include "liven/nn/frame_encoder.hpp"
#include "liven/nn/module.hpp"

namespace liven {

/// The descriptors of every frame of the loader's readable samples, in their order: read from `folder` when they were
/// computed there before with the same weights, preprocessing, frames, kernels and batch, else computed and written.
/// The model must be an encoder whose weights are not trained.
data::FeatureTable describe_frames(Module& model, FrameEncoder& encoder, data::Loader& pictures, int64_t batch,
                                   const std::filesystem::path& folder);

}  // namespace liven
