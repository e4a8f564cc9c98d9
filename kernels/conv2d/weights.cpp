#include "kernels/conv2d/weights.hpp"

#include <algorithm>
#include <array>

#include "kernels/conv2d/table.hpp"

namespace liven::kernels {

PackedWeights::PackedWeights(const TapPlan& taps, const Conv2dGeometry& g, bool input_grad, PairWeights pair)
    : phases_w_(taps.w.phases.size()),
      groups_(g.groups),
      depth_(input_grad ? g.group_dst_c() : g.group_src_c()),
      width_(input_grad ? g.group_src_c() : g.group_dst_c()),
      pair_(pair),
      kernel_w_(g.window.kernel.w),
      weights_src_(g.group_src_c()),
      weights_dst_(g.dst_c),
      input_grad_(input_grad) {
    blocks_ = (width_ + conv_block - 1) / conv_block;
    const int64_t elements = pair_ ? depth_ / 2 : depth_;
    for (const TapPhase& h : taps.h.phases)
        for (const TapPhase& w : taps.w.phases) {
            offsets_.push_back(static_cast<int64_t>(order_.size()) * elements * conv_block);
            for (const Tap& tap_h : h.taps)
                for (const Tap& tap_w : w.taps) order_.push_back({.h = tap_h.kernel, .w = tap_w.kernel});
        }
    block_step_ = static_cast<int64_t>(order_.size()) * elements * conv_block;
}

void PackedWeights::pack(int64_t unit, const float* weights, float* block) const noexcept {
    const int64_t group = unit / blocks_, first = unit % blocks_ * conv_block;
    const int64_t count = std::min(conv_block, width_ - first);
    float* out = block;
    // Steps through HWIO weights from one source channel of this convolution to the next, and from one result channel
    // to the next.
    const int64_t depth_step = input_grad_ ? 1 : weights_dst_, width_step = input_grad_ ? weights_dst_ : 1;
    const int64_t origin = input_grad_ ? first * weights_dst_ + group * depth_ : group * width_ + first;
    for (const Element& element : order_) {
        const float* from = weights + (element.h * kernel_w_ + element.w) * weights_src_ * weights_dst_ + origin;
        const auto gather = [&](const float* values, float* to) {
            if (width_step == 1 && count == conv_block)
                std::copy_n(values, conv_block, to);  // a known length: no call
            else if (width_step == 1)
                std::copy_n(values, count, to);
            else
                for (int64_t lane = 0; lane < count; ++lane) to[lane] = values[lane * width_step];
            for (int64_t lane = count; lane < conv_block; ++lane) to[lane] = 0;
        };
        if (!pair_) {
            for (int64_t d = 0; d < depth_; ++d, from += depth_step, out += conv_block) gather(from, out);
            continue;
        }
        std::array<float, conv_block> even{}, odd{};
        for (int64_t d = 0; d < depth_; d += 2, from += 2 * depth_step, out += conv_block) {
            gather(from, even.data());
            gather(from + depth_step, odd.data());
            pair_(even.data(), odd.data(), out);
        }
    }
}

}  // namespace liven::kernels
