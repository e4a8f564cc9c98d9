#pragma once

#include <memory>
#include <string>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/step.hpp"

/// Convolutions of 1x1 as matrix products, a pixel being a row, and weight gradients of strided ones, a product for
/// each element of the kernel.
namespace liven::kernels {

/// Why a convolution, or one of its gradients, is no matrix product; an empty string when it is.
std::string refuse_gemm_conv2d(const Problem& problem);

/// conv2d and conv2d_input_grad.
std::unique_ptr<Step> make_gemm_conv2d(const Problem& problem, Isa isa);

/// The same over a map stored in bf16 with dot products of bf16, twice as many FLOPs an instruction; weights are
/// rounded.
std::string refuse_dots_conv2d(const Problem& problem);
std::unique_ptr<Step> make_dots_conv2d(const Problem& problem, Isa isa);
/// conv2d_weight_grad.
std::unique_ptr<Step> make_gemm_conv2d_weight_grad(const Problem& problem, Isa isa);
/// The same over two maps in bf16, or made of such, with dot products along pairs of pixels.
std::string refuse_dots_weight_grad(const Problem& problem);
std::unique_ptr<Step> make_dots_conv2d_weight_grad(const Problem& problem, Isa isa);

/// Expected time, see KernelInfo::cost.
double cost_gemm_conv2d(const Problem& problem, Isa isa);

}  // namespace liven::kernels
