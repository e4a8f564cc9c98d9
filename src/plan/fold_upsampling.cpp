#include <optional>
#include <unordered_map>

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/resize.hpp"
#include "liven/ops/shape.hpp"
#include "src/graph/rewrite.hpp"

// A map of which every pixel stands twice in each direction, under a 2x2 kernel with zeros at the bottom and right: the
// step of a decoder. Of each two rows of the result the first meets one row of the small map with both rows of the
// kernel, which are then one, their sum; the second meets a row with the first and the next one with the second. That
// is the gradient of a 3x3 convolution of stride 2 for its input, over the small map,
//     conv2d(upsample(x), w) = conv2d_input_grad(x, K),   K = [w1, w0 + w1, w0] along both axes, channels exchanged
// with 9 multiplications for 4 results instead of 16, and the large map is never made. That K's middle is the sum of
// its outer two is written down (Conv2dAttributes::middle_is_sum): kernels that know it need 4
// (kernels/winograd/scheme.hpp). Its gradients are the other two operations of that convolution:
//     for x:   resize_grad(conv2d_input_grad(dy, w)) = conv2d(dy, K)
//     for w:   conv2d_weight_grad(upsample(x), dy) = K's gradient conv2d_weight_grad(dy, x), taken back to w

namespace liven {
namespace {

using detail::is;
using detail::ValueList;

bool doubles(const Shape& small, const Shape& large) { return large[1] == 2 * small[1] && large[2] == 2 * small[2]; }

/// The small map of which the value has every pixel twice in each direction.
std::optional<Value> before_upsampling(const Value& value) {
    if (value.node->is_leaf() || !is<ops::Resize>(value)) return {};
    const Value& small = value.node->inputs[0];
    if (value.node->as<ops::Resize>().mode != ResizeMode::nearest || !doubles(small.shape(), value.shape())) return {};
    return small;
}

bool is_decoder_window(const Conv2dAttributes& a) {
    const Window2d& w = a.window;
    const bool corner = w.padding.top == 0 && w.padding.left == 0 && w.padding.bottom == 1 && w.padding.right == 1;
    return w.kernel == Extent2d(2) && w.stride == Extent2d(1) && w.dilation == Extent2d(1) && a.groups == 1 && corner;
}

/// The 3x3 convolution of stride 2 from the large map to the small one.
template <class Op>
Op strided() {
    Op op;
    op.middle_is_sum = true;
    op.window = {.kernel = 3, .stride = 2, .padding = {.top = 1, .bottom = 0, .left = 1, .right = 0}, .dilation = 1};
    return op;
}

Tensor element(const Tensor& x, int axis, int64_t place) { return slice(x, {.axis = axis, .begin = place}); }
Tensor exchange_channels(const Tensor& x) { return permute(x, {0, 1, 3, 2}); }

/// K.
Tensor spread(const Tensor& weights) {
    Tensor k = exchange_channels(weights);
    for (const int axis : {0, 1}) {
        const Tensor first = element(k, axis, 0), second = element(k, axis, 1);
        k = concat({second, first + second, first}, {.axis = axis});
    }
    return k;
}

/// The gradient for w from that for K: it reads no more of it than middle_is_sum defines.
Tensor gather(const Tensor& gradient) {
    Tensor w = gradient;
    for (const int axis : {0, 1}) {
        const Tensor both = element(w, axis, 1);
        w = concat({element(w, axis, 2) + both, element(w, axis, 0) + both}, {.axis = axis});
    }
    return exchange_channels(w);
}

ValueList fold(const Node& node, const ValueList& in, const std::unordered_map<const Node*, int>& uses) {
    if (is<ops::Conv2d>(node) && is_decoder_window(node.as<ops::Conv2d>())) {
        const std::optional<Value> small = before_upsampling(in[0]);
        if (!small) return {};
        auto op = strided<ops::Conv2dInputGrad>();
        op.height = in[0].shape()[1];
        op.width = in[0].shape()[2];
        return {apply(op, {Tensor(*small), spread(Tensor(in[1]))}).value()};
    }
    if (is<ops::Conv2dWeightGrad>(node) && is_decoder_window(node.as<ops::Conv2dWeightGrad>())) {
        const std::optional<Value> small = before_upsampling(in[0]);
        if (!small) return {};
        return {gather(apply(strided<ops::Conv2dWeightGrad>(), {Tensor(in[1]), Tensor(*small)})).value()};
    }
    if (is<ops::ResizeGrad>(node) && is<ops::Conv2dInputGrad>(in[0]) &&
        is_decoder_window(in[0].node->as<ops::Conv2dInputGrad>())) {
        const bool nearest = node.as<ops::ResizeGrad>().mode == ResizeMode::nearest;
        if (!nearest || !doubles(node.outputs[0].type.shape, in[0].shape()) || uses.at(node.inputs[0].node.get()) > 1)
            return {};
        const Value &diff_dst = in[0].node->inputs[0], &weights = in[0].node->inputs[1];
        return {apply(strided<ops::Conv2d>(), {Tensor(diff_dst), spread(Tensor(weights))}).value()};
    }
    return {};
}

}  // namespace

Graph fold_upsampling(const Graph& graph) {
    const auto uses = detail::count_uses(graph);
    return detail::rewrite(graph, [&](const Node& node, const ValueList& inputs) {
        const detail::PassScope scope(node, node.is_gradient);
        return fold(node, inputs, uses);
    });
}

}  // namespace liven
