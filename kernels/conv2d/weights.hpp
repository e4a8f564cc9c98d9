#pragma once

#include <vector>

#include "kernels/conv2d/taps.hpp"
#include "kernels/gemm/gemm.hpp"

namespace liven::kernels {

/// Weights in the order in which the register tiles read them: for each group and each block of 16 result channels,
/// phase by phase, tap by tap, source channel by source channel, 16 values; lanes beyond the last channel are zero. The
/// input gradient's result channels are the forward pass's source channels, so its weights come out transposed, and
/// rotated by the taps' order. For dot products, neighbouring source channels share an element: 16 pairs of bf16.
class PackedWeights {
public:
    using PairWeights = void (*)(const float* even, const float* odd, float* pairs) noexcept;

    /// `pair`: ConvForwardTable::pair_weights for pairs of an even number of channels, null for single ones;
    /// `whole_blocks`: source channels up to a multiple of 16, those that are not there with weights of zero.
    PackedWeights(const TapPlan& taps, const Conv2dGeometry& geometry, bool input_grad, Isa isa,
                  PairWeights pair = nullptr, bool whole_blocks = false);

    size_t bytes() const { return static_cast<size_t>(groups_ * blocks_ * block_step_) * sizeof(float); }
    int64_t blocks() const { return blocks_; }          ///< of 16 result channels, in a group
    int64_t block_step() const { return block_step_; }  ///< floats
    /// Where a phase starts within a block.
    int64_t phase_offset(size_t phase_h, size_t phase_w) const { return offsets_[phase_h * phases_w_ + phase_w]; }

    /// Packing is a stage of its own, cut into these units: blocks of block_step() floats.
    int64_t units() const { return groups_ * blocks_; }
    void pack(int64_t unit, const float* weights, float* block) const noexcept;

private:
    struct Element {
        int64_t h, w;  ///< kernel row and column
    };
    void pack_element(const float* from, int64_t count, float* out) const noexcept;
    void pack_pairs(const float* from, int64_t count, float* out) const noexcept;
    void gather(const float* values, int64_t count, float* to) const noexcept;

    std::vector<Element> order_;
    std::vector<int64_t> offsets_;
    size_t phases_w_ = 0;
    int64_t groups_ = 1, blocks_ = 1, block_step_ = 0;
    int64_t depth_ = 0, width_ = 0;  ///< source and result channels of a group
    int64_t padding_ = 0;            ///< source channels that are not there
    const GemmKernels& kernels_;
    PairWeights pair_ = nullptr;
    int64_t kernel_w_ = 1, weights_src_ = 0, weights_dst_ = 0;
    int64_t depth_step_ = 0, width_step_ = 0;  ///< through HWIO weights to the next source, the next result channel
    bool input_grad_ = false;
};

}  // namespace liven::kernels
