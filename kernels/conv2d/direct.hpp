#pragma once

#include <memory>
#include <string>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// conv2d and conv2d_input_grad. The problem has been accepted (parse_conv2d gave no refusal).
std::unique_ptr<Step> make_direct_convolution(const Problem& problem, Isa isa);

/// The same with dot products of bf16, for maps stored so; AVX-512 only. Source and weights are rounded to bf16, sums
/// are f32.
std::unique_ptr<Step> make_direct_dots_convolution(const Problem& problem, Isa isa);
/// Why it does not take the problem, empty when it does.
std::string refuse_direct_dots(const Problem& problem);

/// conv2d at stride 1 and conv2d_input_grad with few result channels.
std::unique_ptr<Step> make_narrow_convolution(const Problem& problem, Isa isa);
std::string refuse_narrow(const Problem& problem);
double cost_narrow(const Problem& problem);

/// conv2d_weight_grad.
std::unique_ptr<Step> make_direct_weight_grad(const Problem& problem, Isa isa);
/// The same over two maps in bf16, or made of such, with dot products along pairs of pixels.
std::unique_ptr<Step> make_direct_dots_weight_grad(const Problem& problem, Isa isa);
std::string refuse_direct_dots_weight_grad(const Problem& problem);

}  // namespace liven::kernels
