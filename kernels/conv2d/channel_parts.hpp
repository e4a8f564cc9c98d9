#pragma once

#include <algorithm>

#include "kernels/conv2d/table.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {

/// Channels as kernels take them that work on blocks of 16: those beyond the last are zeros.
constexpr int64_t in_blocks(int64_t channels) { return round_up(channels, conv_block); }

/// Channels cut into as few parts as `most` allows, whole blocks of 16 but for the last one's end, as equal as these
/// can be.
class ChannelParts {
public:
    ChannelParts(int64_t channels, int64_t most)
        : channels_(channels), blocks_(ceil_div(channels, conv_block)), count_(ceil_div(channels, most)) {}

    int64_t count() const { return count_; }
    /// In whole blocks.
    int64_t widest() const { return ceil_div(blocks_, count_) * conv_block; }
    ChannelSlice operator[](int64_t part) const {
        return {.first = begin(part), .count = std::min(begin(part + 1), channels_) - begin(part)};
    }

private:
    int64_t begin(int64_t part) const { return blocks_ * part / count_ * conv_block; }

    int64_t channels_, blocks_, count_;
};

}  // namespace liven::kernels
