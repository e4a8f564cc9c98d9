#pragma once

#include <string>

#include "kernels/conv2d_geometry.hpp"
#include "kernels/conv2d_table.hpp"
#include "kernels/winograd_table.hpp"

/// What forward pass, input gradient and weight gradient of Winograd's convolution have in common.
namespace liven::kernels {

inline constexpr int64_t winograd_side = 4;  ///< results of a tile, each way

/// Why Winograd's kernels cannot take the problem, or an empty string.
std::string refuse_winograd(const Problem& problem);

void register_winograd_by_channels(std::vector<KernelInfo>& out);
void register_winograd_weight_grad(std::vector<KernelInfo>& out);

}  // namespace liven::kernels
