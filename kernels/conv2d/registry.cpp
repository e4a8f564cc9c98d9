#include <algorithm>
#include <string>
#include <string_view>

#include "kernels/by_isa.hpp"
#include "kernels/conv2d/direct.hpp"
#include "kernels/conv2d/gemm.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/table.hpp"
#include "kernels/rounding.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

const ConvForwardTable& conv_forward_table_baseline();
const ConvForwardTable& conv_forward_table_avx2();
const ConvForwardTable& conv_forward_table_avx512();
const ConvGradTable& conv_grad_table_baseline();
const ConvGradTable& conv_grad_table_avx2();
const ConvGradTable& conv_grad_table_avx512();
const DepthwiseTable& depthwise_table_baseline();
const DepthwiseTable& depthwise_table_avx2();
const DepthwiseTable& depthwise_table_avx512();

const ConvForwardTable& conv_forward_table(Isa isa) {
    return by_isa(isa, conv_forward_table_baseline, conv_forward_table_avx2, conv_forward_table_avx512)();
}

const ConvGradTable& conv_grad_table(Isa isa) {
    return by_isa(isa, conv_grad_table_baseline, conv_grad_table_avx2, conv_grad_table_avx512)();
}

const DepthwiseTable& depthwise_table(Isa isa) {
    return by_isa(isa, depthwise_table_baseline, depthwise_table_avx2, depthwise_table_avx512)();
}

namespace {

std::string refuse_dense(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    if (!parsed.refusal.empty()) return parsed.refusal;
    return parsed.geometry.depthwise() ? "every channel is a group of its own: the depthwise kernel takes it" : "";
}

std::string refuse_depthwise(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    if (!parsed.refusal.empty()) return parsed.refusal;
    const Conv2dGeometry& g = parsed.geometry;
    return g.depthwise() ? ""
                         : "expected one group a channel, got " + std::to_string(g.groups) + " groups of " +
                               std::to_string(g.group_src_c()) + " -> " + std::to_string(g.group_dst_c()) + " channels";
}

/// Seconds at the FMA peak times 1e12, divided by the share of the peak that such shapes reach.
double cost_of(const Problem& problem, double share) {
    Conv2dGeometry g = parse_conv2d(problem).geometry;
    if (problem.op == "conv2d_weight_grad") g = better_exchanged(g).value_or(g);
    const int64_t channels = problem.op == "conv2d_input_grad" ? g.group_src_c() : g.group_dst_c();
    const double used_lanes = static_cast<double>(channels) / static_cast<double>(round_up(channels, conv_block));
    return g.flops() * 1e-12 / (share * (g.depthwise() ? 1.0 : used_lanes));
}

double cost_dense(const Problem& problem) { return cost_of(problem, problem.op == "conv2d_weight_grad" ? 0.8 : 0.95); }
/// Dot products over many channels reach 1.75 times the FMA peak, over 16 no more than 1.35.
double cost_direct_dots(const Problem& problem) {
    const Conv2dGeometry g = parse_conv2d(problem).geometry;
    const double more_channels = std::clamp(static_cast<double>(std::min(g.src_c, g.dst_c) - 16) / 48.0, 0.0, 1.0);
    return cost_of(problem, 1.35 + 0.4 * more_channels);
}
double cost_depthwise(const Problem& problem) { return cost_of(problem, 0.3); }

template <Isa isa>
double cost_gemm(const Problem& problem) {
    return cost_gemm_conv2d(problem, isa);
}

struct Tiles {
    Isa isa;
    std::string_view forward, narrow, weight_grad, depthwise, gemm, gemm_weight_grad;
    double (*cost_gemm)(const Problem&);
};
constexpr Tiles tiles[] = {
    {Isa::baseline, "3 pixels x 16 channels", "3 pixels x 16 products", "3 elements x 16 channels",
     "4 pixels x 4 channels", "4 pixels x 8 channels", "4 x 8 channels", cost_gemm<Isa::baseline>},
    {Isa::avx2, "6 pixels x 16 channels", "6 pixels x 16 products", "6 elements x 16 channels", "4 pixels x 8 channels",
     "6 pixels x 16 channels", "6 x 16 channels", cost_gemm<Isa::avx2>},
    {Isa::avx512, "16 pixels x 16 channels, or 12 x 32", "16 pixels x 16 products, or 12 x 32",
     "24 elements, or 3 rows x 9, x 16 channels", "4 pixels x 16 channels", "6 pixels x 64 channels",
     "12 x 32 channels", cost_gemm<Isa::avx512>}};

}  // namespace

void register_conv2d_direct(std::vector<KernelInfo>& out) {
    for (const Tiles& t : tiles) {
        const auto add = [&](std::string_view op, std::string_view name, std::string_view tile, bool depthwise) {
            out.push_back(
                {.op = op,
                 .name = name,
                 .isa = t.isa,
                 .tile = tile,
                 .takes = depthwise ? "a group for every channel" : "any window, any groups but one for every channel",
                 .refuse = depthwise ? refuse_depthwise : refuse_dense,
                 .cost = depthwise ? cost_depthwise : cost_dense,
                 .make = op == "conv2d_weight_grad" ? make_direct_weight_grad : make_direct_convolution});
        };
        const auto add_gemm = [&](std::string_view op, std::string_view name,
                                  std::unique_ptr<Step> (*make)(const Problem&, Isa)) {
            const std::string_view tile = op == "conv2d_weight_grad" ? t.gemm_weight_grad : t.gemm;
            const std::string_view takes =
                op == "conv2d_weight_grad" ? "1x1 without padding; other strided windows from 64 channels on; one group"
                                           : "1x1 kernels without padding, any stride; one group";
            out.push_back({op, name, t.isa, tile, takes, refuse_gemm_conv2d, t.cost_gemm, make});
        };
        add("conv2d", "conv2d_fwd_direct_nhwc_f32", t.forward, false);
        const auto add_narrow = [&](std::string_view op, std::string_view name) {
            const std::string_view takes = "at most 15 result channels and 512 products a pixel; one group";
            out.push_back({op, name, t.isa, t.narrow, takes, refuse_narrow, cost_narrow, make_narrow_convolution});
        };
        add_narrow("conv2d", "conv2d_fwd_narrow_nhwc_f32");
        add("conv2d", "conv2d_fwd_depthwise_nhwc_f32", t.depthwise, true);
        add_gemm("conv2d", "conv2d_fwd_gemm_nhwc_f32", make_gemm_conv2d);
        add("conv2d_input_grad", "conv2d_bwd_data_direct_nhwc_f32", t.forward, false);
        add_narrow("conv2d_input_grad", "conv2d_bwd_data_narrow_nhwc_f32");
        add("conv2d_input_grad", "conv2d_bwd_data_depthwise_nhwc_f32", t.depthwise, true);
        add_gemm("conv2d_input_grad", "conv2d_bwd_data_gemm_nhwc_f32", make_gemm_conv2d);
        if (t.isa == Isa::avx512) {
            const auto add_dots = [&](std::string_view op, std::string_view name) {
                out.push_back({op, name, t.isa, t.gemm, "1x1, maps in bf16, channels by 2, one group; AVX512_BF16",
                               refuse_dots_conv2d,
                               [](const Problem& problem) { return 0.55 * cost_gemm_conv2d(problem, Isa::avx512); },
                               make_dots_conv2d});
            };
            const auto add_direct_dots = [&](std::string_view op, std::string_view name) {
                out.push_back({op, name, t.isa, t.forward, "maps in bf16, channels by 2, one group; AVX512_BF16",
                               refuse_direct_dots, cost_direct_dots, make_direct_dots_convolution});
            };
            add_direct_dots("conv2d", "conv2d_fwd_direct_dots_nhwc_bf16");
            add_direct_dots("conv2d_input_grad", "conv2d_bwd_data_direct_dots_nhwc_bf16");
            add_dots("conv2d", "conv2d_fwd_gemm_dots_nhwc_bf16");
            add_dots("conv2d_input_grad", "conv2d_bwd_data_gemm_dots_nhwc_bf16");
        }
        add("conv2d_weight_grad", "conv2d_bwd_weights_direct_nhwc_f32", t.weight_grad, false);
        add_gemm("conv2d_weight_grad", "conv2d_bwd_weights_gemm_nhwc_f32", make_gemm_conv2d_weight_grad);
        if (t.isa == Isa::avx512)
            out.push_back({"conv2d_weight_grad", "conv2d_bwd_weights_direct_dots_nhwc_bf16", t.isa, t.weight_grad,
                           "both maps in bf16, windows of more than 1x1, one group; AVX512_BF16",
                           refuse_direct_dots_weight_grad, [](const Problem& problem) { return cost_of(problem, 1.2); },
                           make_direct_dots_weight_grad});
        if (t.isa == Isa::avx512)
            out.push_back({"conv2d_weight_grad", "conv2d_bwd_weights_gemm_dots_nhwc_bf16", t.isa, t.gemm_weight_grad,
                           "both maps in bf16; 1x1, or strided from 64 channels on; AVX512_BF16",
                           refuse_dots_weight_grad,
                           [](const Problem& problem) { return 0.6 * cost_gemm_conv2d(problem, Isa::avx512); },
                           make_dots_conv2d_weight_grad});
        add("conv2d_weight_grad", "conv2d_bwd_weights_depthwise_nhwc_f32", t.depthwise, true);
    }
}

}  // namespace liven::kernels
