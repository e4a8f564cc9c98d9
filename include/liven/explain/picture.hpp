#pragma once

#include <span>

#include "liven/data/image.hpp"

namespace liven::saliency {

/// The picture as it is, with as much room below as the scale of an overlay takes.
data::Image without_overlay(const data::Image& picture);

/// Heat over a grey picture of the same size, and below it the scale: from 0 on the left, where the picture stays dark
/// and grey, to `full` on the right in light yellow (inferno). With both signs from -full, blue, over grey to full,
/// vermilion. Both stay apart for colour-blind eyes. Throws Error unless there is a number a pixel.
data::Image overlay(const data::Image& picture, std::span<const float> heat, double full, bool both_signs = false);

}  // namespace liven::saliency
