#pragma once

#include <array>
#include <cstdint>

#include "liven/data/preprocess.hpp"

namespace liven::data {

/// (pixel * scale - mean) / std for all 256 values of each channel: one definition for every path to the network, so
/// that training, evaluation and the camera see the same bits.
class PixelTable {
public:
    explicit PixelTable(const Preprocess& p) : red_(p.colour_order == ColourOrder::rgb ? 0 : 2), blue_(2 - red_) {
        for (size_t c = 0; c < 3; ++c)
            for (size_t v = 0; v < 256; ++v) value_[c][v] = (static_cast<float>(v) * p.scale - p.mean[c]) / p.std[c];
    }
    /// One RGB pixel to three floats in the network's order.
    void store(const uint8_t* rgb, float* dst) const {
        dst[red_] = value_[red_][rgb[0]];
        dst[1] = value_[1][rgb[1]];
        dst[blue_] = value_[blue_][rgb[2]];
    }

private:
    size_t red_, blue_;
    std::array<std::array<float, 256>, 3> value_{};
};

}  // namespace liven::data
