#include "liven/models/resnet50_gru.hpp"

#include "liven/core/error.hpp"

namespace liven {

ResNet50Gru::ResNet50Gru(const Options& chosen) : options(chosen) {
    if (options.spatial != "mean" && options.spatial != "last")
        throw Error("resnet50-gru", "expected spatial as mean or last, got '" + options.spatial + "'");
}

Tensor ResNet50Gru::spatial_descriptors(const Tensor& clip) {
    const Shape& shape = clip.shape();
    if (shape.rank() != 5)
        throw Error("resnet50-gru",
                    "expected clips of frames, N x T x H x W x C, or their descriptors, N x T x D, got " + shape.str());
    const int64_t clips = shape[0], steps = shape[1];
    const Tensor frames = reshape(clip, {clips * steps, shape[2], shape[3], shape[4]});
    const Tensor descriptors = avgpool(backbone(frames));
    return reshape(descriptors, {clips, steps, descriptors.shape()[1]});
}

}  // namespace liven
