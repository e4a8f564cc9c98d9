#pragma once

#include <cstdint>

#include "src/data/synth/canvas.hpp"

namespace liven::data::synth {

/// A place out of focus: a wall with light and dark, and often shelves, windows, pictures, screens or leaves. Bright
/// and dark rectangles are common, so that a rectangle alone gives no attack away.
Canvas background(int size, uint32_t seed);

}  // namespace liven::data::synth
