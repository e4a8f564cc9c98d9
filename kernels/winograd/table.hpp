#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/winograd/scheme.hpp"
#include "liven/core/isa.hpp"

/// What the drivers of Winograd's convolutions call, once per instruction set. Channels come in blocks of 16.
namespace liven::kernels {

/// Floats that the points of a tile take. A line more than they need keeps the tiles from starting at the same places
/// of successive pages, where they would evict each other from L1.
constexpr int64_t winograd_tile_floats(WinogradScheme scheme, int64_t channels) {
    return winograd_points(scheme) * channels + 16;
}

/// One tile: where its source rows start and where its results go.
struct WinogradTile {
    const float* rows[6] = {};              ///< the first of its pixels in each source row
    void* dst = nullptr;                    ///< floats, or what the finish says
    int64_t dst_row = 0, dst_column = 0;    ///< of the first result, rows counted through all samples
    int64_t dst_rows = 0, dst_columns = 0;  ///< results that lie inside the map
};

/// What becomes of a result x on its way to memory. With y = x + bias, z = leaky(y) and w = z + map:
enum class WinogradFinishKind : uint8_t {
    plain,                       ///< x is written
    activated,                   ///< z is written
    activated_moments,           ///< likewise, with its moments
    biased_moments,              ///< y is written, the moments are z's
    added,                       ///< w is written
    added_moments,               ///< likewise, with its moments
    activated_moments_of_added,  ///< z is written, the moments are w's
    stepped,                     ///< leaky_step(map, x) is written and summed
    centred                      ///< x is written; x * (leaky(map) - mean) and x are summed
};

/// How the finish's two maps, what it reads and what it writes, lie in memory.
enum class WinogradStorage : uint8_t {
    f32,
    bf16,        ///< rounded by integer arithmetic
    bf16_native  ///< by the instruction of AVX512_BF16: the same bits
};

struct WinogradFinish {
    WinogradFinishKind kind = WinogradFinishKind::plain;
    WinogradStorage storage = WinogradStorage::f32;
    const float* bias = nullptr;  ///< by channel; null: none
    float slope = 1;              ///< of leaky below zero
    float least = -INFINITY;      ///< of leaky: 0 makes it a relu, which slope 0 would not be for an infinite x
    const void* map = nullptr;    ///< a second map as wide as the result, from its first sample on
    int64_t map_row_step = 0, map_step = 0;
    const float* mean = nullptr;  ///< by channel
    /// The running block of sums, three times the channels: of moments shift, sum and squares; otherwise the two sums.
    float* block = nullptr;
    bool fresh = false;  ///< the block is empty
};

/// A handful of tiles through all three steps: nothing transformed ever leaves L2.
struct WinogradGroup {
    const WinogradTile* tiles = nullptr;
    int64_t count = 0;
    int64_t depth = 0;               ///< source channels, a multiple of 16
    int64_t channels = 0;            ///< result channels, a multiple of 16
    int64_t src_step = 0;            ///< floats from one source pixel to the next
    const float* weights = nullptr;  ///< channels / 16 x points x depth x 16
    int64_t dst_row_step = 0;
    int64_t dst_step = 0;
    /// Scratch for the points of all tiles, with so many floats from one to the next: at least
    /// winograd_tile_floats(scheme, depth) and (scheme, channels). They may be the same memory, with the same step, up
    /// to WinogradTable::product_channels result channels.
    float *src_points = nullptr, *dst_points = nullptr;
    int64_t src_points_step = 0, dst_points_step = 0;
    bool add = false;  ///< the products are added to dst_points instead of written
    std::span<const std::byte> src_soon = {},
                               map_soon = {};  ///< memory that will be read next: asked into L2 meanwhile
    WinogradFinish finish = {};
};

struct WinogradTable {
    /// Result channels that are made by one reading of a tile's source points.
    int64_t product_channels = 0;
    /// 3 x 3 x depth x 16 packed weights, in the order in which PackedWeights has the taps, `tap_step` floats from tap
    /// to tap, to points x depth x 16.
    void (*weights)(const float* packed, int64_t tap_step, int64_t depth, float* points) noexcept = nullptr;
    /// All three steps.
    void (*group)(const WinogradGroup&) noexcept = nullptr;
    /// The first two: source and products, to dst_points.
    void (*products)(const WinogradGroup&) noexcept = nullptr;
    /// The last, from dst_points, for tiles [first, last) of the group.
    void (*results)(const WinogradGroup&, int64_t first, int64_t last) noexcept = nullptr;
    /// Adds the block of `pixels` to the partial sums: of moments count, mean and squared deviations at slots[0],
    /// `step` doubles apart.
    void (*merge)(const WinogradFinish&, int64_t pixels, int64_t channels, double* const (&slots)[2],
                  int64_t step) noexcept = nullptr;
};

const WinogradTable& winograd_table(Isa isa, WinogradScheme scheme);

/// Tiles that are worth taking through the steps together.
constexpr int64_t winograd_group_tiles(WinogradScheme scheme) { return is_upsampled(scheme) ? 24 : 12; }

}  // namespace liven::kernels
