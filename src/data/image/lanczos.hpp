#pragma once

#include "liven/data/image.hpp"

namespace liven::data {

/// The picture at another size by an 8 x 8 Lanczos window: weights sinc(t) sinc(t / 4) made to sum to 1, no smoothing
/// when it shrinks, edge pixels repeated. Whole-number arithmetic, so the same bytes on every machine; within one level
/// of the exact sum.
Image lanczos(const Image& image, int width, int height);

}  // namespace liven::data
