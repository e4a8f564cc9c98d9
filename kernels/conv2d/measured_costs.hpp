#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// A convolution over maps in memory whose kernels were timed, all that take it.
struct MeasuredConvolution {
    /// Of the FMA peak in nominal FLOPs, probed in between: the kernel's name and its share.
    using Share = std::pair<std::string, double>;

    std::string op;
    Conv2dAttributes attributes;
    Conv2dGeometry geometry;
    std::vector<Share> shares;

    /// Takes the shape of any convolution problem, whatever its programs and strides; nothing of other problems.
    static std::optional<MeasuredConvolution> of(const Problem& problem);
    /// It by itself: dense maps of floats, no programs.
    Problem problem() const;
};

/// What the kernels of convolutions cost by default: shares of the peak over a few hundred shapes, measured once on one
/// machine for each instruction set (measured_costs.inc, made by `liven tune MODEL --as-default FILE`). The same on
/// every machine and for every number of threads, as is what follows from them. As text:
///
///     liven-costs 1
///     machine avx512 2026-01-31 name of the CPU
///     kernel 0 conv2d_fwd_direct_nhwc_f32
///     avx512 conv2d 3x3 stride 1x1 padding 1,1,1,1 dilation 1x1 groups 1
///      16x14x14x24 64 0 0.731 ...
class MeasuredCosts {
public:
    /// Throws Error with `source` and the line for what is not in order. Kernels need not be registered any more.
    static MeasuredCosts parse(std::string_view text, std::string_view source);
    static const MeasuredCosts& built_in();

    void set(Isa isa, MeasuredConvolution convolution);
    void set_machine(Isa isa, std::string date_and_name) { machines_[isa] = std::move(date_and_name); }
    std::string str() const;

    /// Empty when nothing was measured for the instruction set.
    std::string machine(Isa isa) const;
    /// In a fixed order.
    std::vector<const MeasuredConvolution*> all(Isa isa) const;
    /// Convolutions over which this kernel was timed.
    size_t convolutions(const KernelInfo& kernel) const;
    /// The nearest measured shape, if one is near (channels within a factor of 1.5, rows and columns of 2, samples of
    /// 4, a single one only beside a single one) and all these kernels were timed over it.
    const MeasuredConvolution* near(const Problem& problem, Isa isa,
                                    const std::vector<const KernelInfo*>& kernels) const;

private:
    std::map<Isa, std::string> machines_;
    /// By instruction set and what must be equal.
    std::map<std::pair<Isa, std::string>, std::vector<MeasuredConvolution>> convolutions_;
};

/// What a kernel costs by its own estimate, corrected by what the estimate missed over the measured shape, at most
/// twice or half: the shapes differ, and no correction makes a kernel cheap whose estimate says that it is out of
/// place.
double corrected_cost(const KernelInfo& kernel, const Problem& problem, const MeasuredConvolution& measured);

}  // namespace liven::kernels
