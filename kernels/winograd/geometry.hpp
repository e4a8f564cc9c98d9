#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "kernels/conv2d/channel_parts.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/table.hpp"
#include "kernels/winograd/table.hpp"

/// What forward pass, input gradient and weight gradient of Winograd's convolution have in common.
namespace liven::kernels {

/// Why Winograd's kernels cannot take the problem, or an empty string.
std::string refuse_winograd(const Problem& problem);
inline constexpr std::string_view winograd_takes =
    "3x3, stride and dilation 1, 16+ channels, one group; not under strict math";
/// Likewise those for upsampled maps.
std::string refuse_upsampled(const Problem& problem);
inline constexpr std::string_view upsampled_takes =
    "upsampling and a 2x2 kernel, 16 channels or more; not under strict math";

/// By how much channels that are no multiples of 16 make the work more than the nominal one.
inline double winograd_padding(const Conv2dGeometry& g) {
    return static_cast<double>(in_blocks(g.src_c) * in_blocks(g.dst_c)) / static_cast<double>(g.src_c * g.dst_c);
}

/// Part `share` of `shares` of some memory.
inline std::span<const std::byte> share_of(std::span<const std::byte> all, int64_t share, int64_t shares) {
    const auto bound = [&](int64_t s) { return all.size() * static_cast<size_t>(s) / static_cast<size_t>(shares); };
    return all.subspan(bound(share), bound(share + 1) - bound(share));
}

void register_winograd_by_channels(std::vector<KernelInfo>& out);
void register_winograd_weight_grad(std::vector<KernelInfo>& out);

}  // namespace liven::kernels
