#pragma once

#include "liven/graph/tensor.hpp"

namespace liven {

/// A network over clips that describes every frame by itself before it looks at their order. When that part is not
/// trained its descriptions can be computed once and kept: the network takes them in place of the frames.
class FrameEncoder {
public:
    virtual ~FrameEncoder() = default;

    /// N x T x H x W x C to the descriptors of the frames, N x T x D, in the network's present mode.
    virtual Tensor describe(const Tensor& frames) = 0;
    /// True when no weight or statistic of it changes in training.
    virtual bool encoder_frozen() const = 0;

protected:
    FrameEncoder() = default;
    FrameEncoder(const FrameEncoder&) = default;
    FrameEncoder& operator=(const FrameEncoder&) = default;
};

}  // namespace liven
