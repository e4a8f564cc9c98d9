#pragma once

#include <cstdint>

#include "liven/core/isa.hpp"

/// Moving values without arithmetic: what one ISA offers for elements of four bytes.
namespace liven::kernels {

/// Two innermost loops: element (r, c) of dst is dst[r * dst_row + c].
struct MoveBlock {
    const float* src = nullptr;
    int64_t src_row = 0, src_column = 0;  ///< element (r, c) of src is src[r * src_row + c * src_column]
    float* dst = nullptr;
    int64_t dst_row = 0;
    int64_t rows = 0, columns = 0;
};

struct MoveKernels {
    void (*copy)(const MoveBlock&) = nullptr;  ///< src_column 1
    void (*fill)(const MoveBlock&) = nullptr;  ///< src_column 0
    void (*turn)(const MoveBlock&) = nullptr;  ///< src_row 1, any src_column
};

const MoveKernels& move_kernels(Isa isa);

}  // namespace liven::kernels
