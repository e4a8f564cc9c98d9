#pragma once

#include <cstdint>

#include "kernels/gemm/gemm.hpp"

namespace liven::kernels {

/// Part of a matrix of f32 weights that is to be rounded to bf16 and packed in pairs along its depth.
struct WeightPairs {
    const float* weights = nullptr;
    int64_t row = 0;      ///< floats from one stored row to the next
    bool turned = false;  ///< rows are columns of the product, as they are stored
    int64_t depth = 0;    ///< pairs
    int64_t width = 0;    ///< columns of the product

    /// Packs them as `depth` rows of `width` pairs, filled up to whole vectors, `packed_row` apart. `rounded`: room for
    /// depth * width floats where the weights are turned.
    void pack(const GemmKernels& kernels, float* rounded, float* packed, int64_t packed_row) const {
        if (!turned) {
            kernels.pack_pairs(weights, row, depth, width, packed, packed_row);
            return;
        }
        auto* halves = reinterpret_cast<uint16_t*>(rounded);
        for (int64_t r = 0; r < width; ++r) kernels.round_bf16(weights + r * row, 2 * depth, halves + r * 2 * depth);
        kernels.pack_turned(rounded, depth, width, depth, packed, packed_row);
    }
};

}  // namespace liven::kernels
