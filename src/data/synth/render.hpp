#pragma once

#include "src/data/synth/canvas.hpp"
#include "src/data/synth/face_map.hpp"

namespace liven::data::synth {

/// Head, neck, shoulders and what stands behind them, seen from the front.
Canvas render(const Subject& subject, const Scene& scene, const Mask& mask, int size);

}  // namespace liven::data::synth
