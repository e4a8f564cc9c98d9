#include "kernels/conv2d/geometry.hpp"

#include <string>
#include <utility>

#include "kernels/conv2d/table.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

/// Hands out Problem.inputs in the order of the operation, skipping what prologues make.
class Operands {
public:
    explicit Operands(const Problem& problem) : problem_(problem) {}

    MapSource map(int operand) {
        const auto o = static_cast<size_t>(operand);
        if (problem_.prologue[o]) {
            const Shape& shape = problem_.prologue_shape[o];
            return {.shape = shape, .operand = -1, .pixel_stride = channels(shape), .program = problem_.prologue[o]};
        }
        const Operand& input = next("the operation's operands");
        const bool widened = input.dtype == DType::bf16;
        if (!widened) expect_floats(input);
        return {.shape = input.shape,
                .operand = widened ? -1 : used_ - 1,
                .pixel_stride = widened ? input.channels() : input.pixel_stride,
                .program = widened ? &widening_program(used_ - 1) : nullptr};
    }
    int weights() {
        const Operand& input = next("weights");
        expect_floats(input);
        if (input.shape.rank() == 4 && !input.dense()) refuse("expected dense weights, got a slice of a wider tensor");
        return used_ - 1;
    }
    void refuse(const std::string& reason) {
        if (refusal.empty()) refusal = reason;
    }

    std::string refusal;

private:
    static int64_t channels(const Shape& shape) { return shape.rank() == 4 ? shape[3] : 0; }
    const Operand& next(const char* what) {
        static const Operand none{};
        if (static_cast<size_t>(used_) >= problem_.inputs.size()) {
            refuse(std::string("expected ") + what + " among the inputs, got " +
                   std::to_string(problem_.inputs.size()));
            return none;
        }
        return problem_.inputs[static_cast<size_t>(used_++)];
    }
    void expect_floats(const Operand& input) {
        if (input.dtype != DType::f32) refuse("expected f32 operands, got " + std::string(name_of(input.dtype)));
    }

    const Problem& problem_;
    int used_ = 0;
};

Shape result_shape(const Problem& problem) {
    if (problem.epilogue && problem.epilogue_shape.rank() > 0) return problem.epilogue_shape;
    return problem.outputs.empty() ? Shape{} : problem.outputs[0].shape;
}

bool is_image(const Shape& shape) { return shape.rank() == 4 && shape.count() > 0; }

std::string check(const Conv2dGeometry& g) {
    const Window2d& w = g.window;
    if (w.kernel.h < 1 || w.kernel.w < 1 || w.stride.h < 1 || w.stride.w < 1 || w.dilation.h < 1 || w.dilation.w < 1)
        return "expected kernel, stride and dilation of at least 1";
    if (w.padding.top < 0 || w.padding.bottom < 0 || w.padding.left < 0 || w.padding.right < 0)
        return "expected padding of at least 0";
    if (g.groups < 1 || g.src_c % g.groups != 0 || g.dst_c % g.groups != 0)
        return "expected groups that divide " + std::to_string(g.src_c) + " and " + std::to_string(g.dst_c) +
               " channels, got " + std::to_string(g.groups);
    const int64_t dst_h = Window2d::out(g.src_h, w.kernel.h, w.stride.h, w.padding.top, w.padding.bottom, w.dilation.h);
    const int64_t dst_w = Window2d::out(g.src_w, w.kernel.w, w.stride.w, w.padding.left, w.padding.right, w.dilation.w);
    if (g.dst_h != dst_h || g.dst_w != dst_w)
        return "expected " + std::to_string(dst_h) + "x" + std::to_string(dst_w) + " output pixels, got " +
               std::to_string(g.dst_h) + "x" + std::to_string(g.dst_w);
    return {};
}

Conv2dGeometry geometry(const Shape& src, const Shape& dst, const Conv2dAttributes& attributes) {
    return {.samples = src[0],
            .src_h = src[1],
            .src_w = src[2],
            .src_c = src[3],
            .dst_h = dst[1],
            .dst_w = dst[2],
            .dst_c = dst[3],
            .groups = attributes.groups,
            .window = attributes.window};
}

std::string check_weights(const Shape& weights, const Conv2dGeometry& g) {
    const Shape expected{g.window.kernel.h, g.window.kernel.w, g.src_c / g.groups, g.dst_c};
    return weights == expected ? std::string() : "expected weights " + expected.str() + ", got " + weights.str();
}

}  // namespace

std::optional<Conv2dGeometry> better_exchanged(const Conv2dGeometry& g) {
    const Window2d& w = g.window;
    const int64_t top = w.kernel.h - 1 - w.padding.top, left = w.kernel.w - 1 - w.padding.left;
    const auto empty_lanes = [](int64_t channels) { return round_up(channels, conv_block) * 1000 / channels; };
    if (!(w.stride == Extent2d(1) && w.dilation == Extent2d(1)) || g.groups != 1 || top < 0 || left < 0 ||
        empty_lanes(g.dst_c) <= empty_lanes(g.src_c))
        return {};
    Conv2dGeometry out = g;
    std::swap(out.src_h, out.dst_h);
    std::swap(out.src_w, out.dst_w);
    std::swap(out.src_c, out.dst_c);
    // What a source row q met in row q + top - k, it now meets from row q + k' - top' with k' = kernel - 1 - k.
    out.window.padding = {.top = top,
                          .bottom = g.src_h + w.kernel.h - 1 - g.dst_h - top,
                          .left = left,
                          .right = g.src_w + w.kernel.w - 1 - g.dst_w - left};
    return out;
}

Conv2dProblem parse_conv2d(const Problem& problem) {
    Conv2dProblem parsed;
    Operands operands(problem);
    const bool weight_grad = problem.op == "conv2d_weight_grad", input_grad = problem.op == "conv2d_input_grad";
    parsed.map = operands.map(0);
    if (weight_grad)
        parsed.diff_dst = operands.map(1);
    else
        parsed.weights = operands.weights();
    parsed.result = result_shape(problem);
    if (!problem.attributes) operands.refuse("expected Conv2dAttributes");
    if (!weight_grad && problem.prologue[1]) operands.refuse("weights cannot be made by a prologue");
    if (weight_grad && problem.epilogue) operands.refuse("the weight gradient takes no epilogue");
    if (!is_image(parsed.map.shape) || !is_image(weight_grad ? parsed.diff_dst.shape : parsed.result))
        operands.refuse("expected N x H x W x C operands with at least one element");
    parsed.refusal = operands.refusal;
    if (!parsed.refusal.empty()) return parsed;

    const auto& attributes = *static_cast<const Conv2dAttributes*>(problem.attributes);
    const Shape& src = input_grad ? parsed.result : parsed.map.shape;
    const Shape& dst = input_grad ? parsed.map.shape : weight_grad ? parsed.diff_dst.shape : parsed.result;
    parsed.geometry = geometry(src, dst, attributes);
    parsed.middle_is_sum = attributes.middle_is_sum;
    if (src[0] != dst[0])
        parsed.refusal = "expected as many samples in as out, got " + src.str() + " and " + dst.str();
    else
        parsed.refusal = check(parsed.geometry);
    if (!parsed.refusal.empty()) return parsed;
    parsed.refusal = check_weights(
        weight_grad ? parsed.result : problem.inputs[static_cast<size_t>(parsed.weights)].shape, parsed.geometry);
    if (weight_grad && parsed.refusal.empty() && !problem.outputs[0].dense())
        parsed.refusal = "expected a dense weight gradient";
    if (weight_grad && parsed.refusal.empty() && problem.outputs[0].dtype != DType::f32)
        parsed.refusal = "expected a weight gradient in f32";
    return parsed;
}

}  // namespace liven::kernels
