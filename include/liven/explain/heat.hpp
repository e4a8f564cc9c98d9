#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace liven::saliency {

/// A number for each place of a picture, row by row; of a clip, a map for each frame.
struct Heat {
    int64_t frames = 1, height = 0, width = 0;
    std::vector<float> values = {};  ///< frames x height x width

    std::span<const float> frame(int64_t i) const {
        const auto size = static_cast<size_t>(height * width);
        return std::span(values).subspan(static_cast<size_t>(i) * size, size);
    }
};

/// Bilinear with half-pixel centres, edges clamped (`liven::resize`). Throws Error for an extent below 1.
Heat resized(const Heat& heat, int64_t height, int64_t width);

}  // namespace liven::saliency
