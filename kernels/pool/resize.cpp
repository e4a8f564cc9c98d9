// Nearest and bilinear resizing and their gradients: taps along each axis, mixed by ResizeStep (kernels/isa/resize.cpp
// says how). The gradient uses the transposed taps, so it is exactly the transpose of the forward map.
#include "kernels/pool/resize.hpp"

#include "kernels/pool/resize_step.hpp"
#include "liven/core/attributes.hpp"

namespace liven::kernels {
namespace {

AxisTaps taps(const ResizeAttributes& attributes, int64_t inputs, int64_t outputs) {
    return attributes.mode == ResizeAttributes::Mode::nearest ? nearest_taps(inputs, outputs)
                                                              : bilinear_taps(inputs, outputs);
}

std::string refuse(const Problem& problem) { return parse_pool(problem, 1).refusal; }

template <bool grad>
std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    const PoolOperands operands = parse_pool(problem, 1);
    const auto& attributes = *static_cast<const ResizeAttributes*>(problem.attributes);
    const Shape &from = operands.maps[0].shape, &to = operands.result;
    if (grad)
        return std::make_unique<ResizeStep>(problem, operands, taps(attributes, to[1], from[1]).transposed(to[1]),
                                            taps(attributes, to[2], from[2]).transposed(to[2]), isa);
    return std::make_unique<ResizeStep>(problem, operands, taps(attributes, from[1], to[1]),
                                        taps(attributes, from[2], to[2]), isa);
}

}  // namespace

void register_resize(std::vector<KernelInfo>& out) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
        out.push_back({.op = "resize",
                       .name = "resize_separable_nhwc_f32",
                       .isa = isa,
                       .tile = "one vector of channels",
                       .takes = "N x H x W x C in f32 or bf16, to any size",
                       .refuse = refuse,
                       .cost = separable_cost,
                       .make = make<false>});
        out.push_back({.op = "resize_grad",
                       .name = "resize_grad_gather_separable_nhwc_f32",
                       .isa = isa,
                       .tile = "one vector of channels",
                       .takes = "N x H x W x C in f32 or bf16, to any size",
                       .refuse = refuse,
                       .cost = separable_cost,
                       .make = make<true>});
    }
}

}  // namespace liven::kernels
