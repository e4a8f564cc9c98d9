#include "kernels/conv2d/weights.hpp"

#include <algorithm>
#include <array>

#include "kernels/conv2d/table.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {

PackedWeights::PackedWeights(const TapPlan& taps, const Conv2dGeometry& g, bool input_grad, Isa isa, PairWeights pair,
                             bool whole_blocks)
    : phases_w_(taps.w.phases.size()),
      groups_(g.groups),
      depth_(input_grad ? g.group_dst_c() : g.group_src_c()),
      width_(input_grad ? g.group_src_c() : g.group_dst_c()),
      kernels_(gemm_kernels(isa)),
      pair_(pair),
      kernel_w_(g.window.kernel.w),
      weights_src_(g.group_src_c()),
      weights_dst_(g.dst_c),
      depth_step_(input_grad ? 1 : g.dst_c),
      width_step_(input_grad ? g.dst_c : 1),
      input_grad_(input_grad) {
    blocks_ = (width_ + conv_block - 1) / conv_block;
    padding_ = whole_blocks ? round_up(depth_, conv_block) - depth_ : 0;
    const int64_t elements = pair_ ? depth_ / 2 : depth_ + padding_;
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
    const int64_t origin = input_grad_ ? first * weights_dst_ + group * depth_ : group * width_ + first;
    const int64_t element_floats = block_step_ / std::max<int64_t>(static_cast<int64_t>(order_.size()), 1);
    for (const Element& element : order_) {
        const float* from = weights + (element.h * kernel_w_ + element.w) * weights_src_ * weights_dst_ + origin;
        if (pair_)
            pack_pairs(from, count, block);
        else
            pack_element(from, count, block);
        block += element_floats;
    }
}

/// All source channels of one tap.
void PackedWeights::pack_element(const float* from, int64_t count, float* out) const noexcept {
    if (count == conv_block && input_grad_)
        kernels_.pack_turned(from, width_step_, conv_block, depth_, out, conv_block);
    else if (count == conv_block)
        kernels_.pack(from, depth_step_, depth_, 1, conv_block, out, conv_block, 0);
    else
        for (int64_t d = 0; d < depth_; ++d) gather(from + d * depth_step_, count, out + d * conv_block);
    std::fill_n(out + depth_ * conv_block, padding_ * conv_block, 0.0f);
}

void PackedWeights::pack_pairs(const float* from, int64_t count, float* out) const noexcept {
    std::array<float, conv_block> even{}, odd{};
    for (int64_t d = 0; d < depth_; d += 2, from += 2 * depth_step_, out += conv_block) {
        gather(from, count, even.data());
        gather(from + depth_step_, count, odd.data());
        pair_(even.data(), odd.data(), out);
    }
}

/// One source channel.
void PackedWeights::gather(const float* values, int64_t count, float* to) const noexcept {
    for (int64_t lane = 0; lane < count; ++lane) to[lane] = values[lane * width_step_];
    for (int64_t lane = count; lane < conv_block; ++lane) to[lane] = 0;
}

}  // namespace liven::kernels
