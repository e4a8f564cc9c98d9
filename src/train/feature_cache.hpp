#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "liven/data/loader.hpp"
#include "liven/nn/frame_encoder.hpp"
#include "liven/nn/module.hpp"

namespace liven {

struct FeatureCacheOptions {
    int64_t batch = 1;             ///< clips that are described together
    Shape sample;                  ///< descriptors of one clip: frames x values
    std::filesystem::path folder;  ///< where descriptors are kept
    std::function<bool()> stop = [] { return false; };
};

/// The descriptors of every frame of the loader's readable samples, in their order: read from the folder when they were
/// computed there before with the same weights, preprocessing, frames, kernels and batch, else computed and written.
/// What was written of them when a process ended is gone on with. Nothing when `stop` said so, asked between batches.
/// The model must be an encoder whose weights are not trained.
std::optional<data::FeatureTable> describe_frames(Module& model, FrameEncoder& encoder, data::Loader& pictures,
                                                  const FeatureCacheOptions& options);

}  // namespace liven
