#pragma once

#include <span>
#include <vector>

#include "liven/data/image.hpp"

/// Turning and scaling a face so that its eyes come to rest where a template has them.
namespace liven::data {

/// x' = a x - b y + dx, y' = b x + a y + dy: a turn, one scale for both axes, and a shift.
struct Similarity {
    double a = 1, b = 0, dx = 0, dy = 0;

    double scale() const;
    Point operator()(const Point& p) const;
    /// First this, then a scale about (0, 0) of the result in which pixel edges, not middles, stay.
    Similarity scaled(double factor) const;
};

/// The one that brings `from` nearest to `to`, in the mean of squared distances (Umeyama 1991, without reflection); two
/// points are met exactly. Throws Error for fewer than two points, another number of them, points in one place, or
/// anything not finite.
Similarity align(std::span<const Point> from, std::span<const Point> to);

/// Where both eyes, or both eyes, nose and corners of the mouth (left to right in the picture), lie in an aligned face
/// of that size: the 112 x 112 template of Deng et al. (ArcFace, 2019) about the middle, shrunk by `margin` so that
/// more of the surroundings show. Throws Error for another number than 2 or 5, a size below 1 or a margin not above 0.
std::vector<Point> face_template(size_t points, int width, int height, double margin = 1);

/// width x height pixels, the one at p taken from where `to_result` brings to p; edge pixels are repeated. Throws Error
/// for an empty picture, a side outside 1..16384, or a similarity that has no inverse.
Image warp(const Image& image, const Similarity& to_result, int width, int height, Interpolation interpolation);

}  // namespace liven::data
