#pragma once

#include "liven/data/image.hpp"

/// How usable a picture of a face is: sharp, rich in contrast, well lit (Kuznetsov et al. 2026, section 3.3).
namespace liven::data {

/// Each part lies in [0, 1], more is better. With g the grey picture (0 to 255), L its Laplacian (4 neighbours), Sx and
/// Sy its Sobel differences (3 x 3), edges mirrored without repeating them, variances over all pixels:
///
///     sharpness  = min(1, (0.7 var(L) + 0.3 mean sqrt(Sx^2 + Sy^2)) / 100)
///     contrast   = min(1, std(g) / 50)
///     brightness = 1 - |mean(g) - 128| / 128
///     blur       = min(1, b / 100),   b = (0.6 var(L) + 0.4 var(Sx^2 + Sy^2)) / 1000
struct Quality {
    double sharpness = 0, contrast = 0, brightness = 0, blur = 0;
    double mean = 0;       ///< mean(g)
    double deviation = 0;  ///< std(g)
    double edges = 0;      ///< b

    /// 0.35 sharpness + 0.25 contrast + 0.20 brightness + 0.20 blur.
    double total() const;
    /// The gates of the published code: a mean from 40 to 220, std(g) above 15, b above 80.
    bool passes_gates() const;
    bool operator==(const Quality&) const = default;
};

/// Throws Error for an empty picture.
Quality quality_of(const Image& image);

}  // namespace liven::data
