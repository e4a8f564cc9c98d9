#pragma once

#include "liven/data/image.hpp"
#include "src/data/synth/canvas.hpp"
#include "src/data/synth/scene.hpp"

namespace liven::data::synth {

/// Lens, automatic exposure and white balance, sensor noise and tone curve: light to an 8-bit picture. The automatics
/// bring the mean colour of every picture to a value drawn without regard to its class, so that the mean tells nothing.
Image capture(Canvas canvas, const Camera& camera);

}  // namespace liven::data::synth
