#pragma once

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"

/// Resizing of the two middle axes of N x H x W x C.
namespace liven {

using ResizeMode = ResizeAttributes::Mode;

/// The wanted rows and columns, and how pixels between the given ones come about.
struct ResizeOptions {
    Extent2d size{};
    ResizeMode mode = ResizeMode::nearest;
};

/// x at another height and width. Pixel i covers [i, i + 1) of its axis: half-pixel centres, as OpenCV, TensorFlow and
/// PyTorch's align_corners=False have them; edges are clamped, and nothing is averaged away when the image shrinks.
///     nearest:  y[o] = x[floor((o + 1/2) * H / H')]
///     bilinear: y[o] = x between the two pixels whose centres enclose (o + 1/2) * H / H'
/// Throws Error for another rank or an empty size.
Tensor resize(const Tensor& x, const ResizeOptions& options);
/// Every pixel `factor` times in each direction: nearest to factor * H x factor * W.
Tensor upsample(const Tensor& x, int64_t factor = 2);

namespace ops {

struct ResizeFields : ResizeAttributes {
    int64_t height = 0, width = 0;  ///< of the result
    void fields(FieldVisitor& visitor) const;
};
struct Resize : ResizeFields {
    static constexpr OperationDoc doc{.name = "resize",
                                      .category = "resizing",
                                      .summary = "an image at another height and width, half-pixel centres",
                                      .formula = "y[o] = sum weight(o, i) x[i]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
};
/// diff_dst -> diff_src of the stated extent.
struct ResizeGrad : ResizeFields {
    static constexpr OperationDoc doc{.name = "resize_grad",
                                      .category = "resizing",
                                      .summary = "gradient of resize",
                                      .formula = "diff_src[i] = sum weight(o, i) diff_dst[o]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
};

}  // namespace ops
}  // namespace liven
