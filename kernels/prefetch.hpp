#pragma once

// Memory asked for ahead of its use. Include it from kernels/isa/*.cpp only, as kernels/simd.hpp.

#include <algorithm>
#include <cstddef>
#include <span>

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

/// Asks for some memory in so many parts, one after the other. A few lines at a time: more than the core can have under
/// way would keep the products waiting. Which they are is worked out once, not beside products of a few FMAs.
class Prefetch {
public:
    LIVEN_INLINE Prefetch(std::span<const std::byte> memory, int64_t parts)
        : at_(memory.data()),
          left_((static_cast<int64_t>(memory.size()) + line - 1) / line),
          step_((left_ + parts - 1) / parts) {}

    LIVEN_INLINE void next() {
        const int64_t lines = std::min(step_, left_);
        left_ -= lines;
        for (int64_t l = 0; l < lines; ++l, at_ += line) __builtin_prefetch(at_, 0, 2);
    }

private:
    static constexpr int64_t line = 64;
    const std::byte* at_;
    int64_t left_, step_;  ///< lines
};

}  // namespace
}  // namespace liven::kernels
