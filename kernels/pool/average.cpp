// Average pooling and its gradient: means along each axis are taps whose weights are the reciprocal counts, mixed by
// ResizeStep (kernels/isa/resize.cpp says how). The count of a window is the product of the counts along its axes, so
// rows and columns stay independent with and without padding.
#include "kernels/pool/resize_step.hpp"
#include "kernels/pool/rows.hpp"
#include "liven/core/attributes.hpp"

namespace liven::kernels {
namespace {

struct AverageTaps {
    AxisTaps rows, columns;
};

AverageTaps average(const PoolAttributes& attributes, const Shape& src, const Shape& dst) {
    const Window2d& w = attributes.window;
    const bool padding = attributes.count_include_pad;
    return {
        average_taps({src[1], dst[1], w.kernel.h, w.stride.h, w.dilation.h, w.padding.top, w.padding.bottom, padding}),
        average_taps({src[2], dst[2], w.kernel.w, w.stride.w, w.dilation.w, w.padding.left, w.padding.right, padding})};
}

template <bool grad>
std::string refuse(const Problem& problem) {
    const PoolOperands operands = parse_pool(problem, 1);
    if (!operands.refusal.empty()) return operands.refusal;
    const Window2d& window = static_cast<const PoolAttributes*>(problem.attributes)->window;
    const Shape& src = grad ? operands.result : operands.maps[0].shape;
    const Shape& dst = grad ? operands.maps[0].shape : operands.result;
    if (dst[1] != window.out_h(src[1]) || dst[2] != window.out_w(src[2]))
        return "the pooled map has another shape than the window gives";
    return {};
}

template <bool grad>
std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    const PoolOperands operands = parse_pool(problem, 1);
    const auto& attributes = *static_cast<const PoolAttributes*>(problem.attributes);
    const Shape &from = operands.maps[0].shape, &to = operands.result;
    if (!grad) {
        AverageTaps taps = average(attributes, from, to);
        return std::make_unique<ResizeStep>(problem, operands, std::move(taps.rows), std::move(taps.columns), isa);
    }
    const AverageTaps taps = average(attributes, to, from);
    return std::make_unique<ResizeStep>(problem, operands, taps.rows.transposed(to[1]), taps.columns.transposed(to[2]),
                                        isa);
}

}  // namespace

void register_average_pool(std::vector<KernelInfo>& out) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
        out.push_back({.op = "avg_pool",
                       .name = "avg_pool_separable_nhwc_f32",
                       .isa = isa,
                       .tile = "one vector of channels",
                       .takes = "N x H x W x C in f32 or bf16, any window",
                       .refuse = refuse<false>,
                       .cost = separable_cost,
                       .make = make<false>});
        out.push_back({.op = "avg_pool_grad",
                       .name = "avg_pool_grad_gather_separable_nhwc_f32",
                       .isa = isa,
                       .tile = "one vector of channels",
                       .takes = "N x H x W x C in f32 or bf16, any window",
                       .refuse = refuse<true>,
                       .cost = separable_cost,
                       .make = make<true>});
    }
}

}  // namespace liven::kernels
