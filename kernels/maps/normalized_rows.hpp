#pragma once

#include <cmath>
#include <optional>
#include <span>

#include "kernels/step.hpp"

/// Prologues that normalise: a pending batch-norm with the activation before or behind it. They are what convolutions
/// read most, and need no row of scratch: the values of a channel stay in registers while its pixels pass.
namespace liven::kernels {

/// max(least, x > 0 ? x : slope * x): leaky_relu, relu with slope 1 and least 0, or nothing.
struct RowActivation {
    float slope = 1, least = -INFINITY;
};

/// dst = behind((before(src) - mean) * scale + shift), product and sum rounded once.
struct NormalizedRow {
    const void* src = nullptr;  ///< floats or, if so, bf16
    bool src_is_bf16 = false;
    int64_t src_step = 0;  ///< elements from one pixel to the next
    float* dst = nullptr;
    int64_t dst_step = 0;
    int64_t pixels = 0, channels = 0;                                 ///< channels: a multiple of 16
    const float *mean = nullptr, *scale = nullptr, *shift = nullptr;  ///< by channel; no mean: 0
    RowActivation before = {}, behind = {};
};

using NormalizeRow = void (*)(const NormalizedRow&) noexcept;
NormalizeRow normalize_row(Isa isa);

/// A program that does this to one operand.
class Normalization {
public:
    /// Nothing when the program does something else.
    static std::optional<Normalization> of(const Program& program, std::span<const Operand> inputs, Isa isa);

    /// Pixels [first, first + row.pixels) of the operand, all samples one behind the other, and channels
    /// [channel, channel + row.channels). The row says where they go.
    void run(const Buffers& buffers, int64_t first, int64_t channel, NormalizedRow row) const noexcept;

private:
    bool read(const Program& program);
    bool activate(RowActivation with, bool normalized);

    int operand_ = -1, mean_ = -1, scale_ = -1, shift_ = -1;
    int64_t stride_ = 0;
    bool is_bf16_ = false;
    RowActivation before_, behind_;
    bool acts_before_ = false, acts_behind_ = false;
    NormalizeRow row_ = nullptr;
};

}  // namespace liven::kernels
