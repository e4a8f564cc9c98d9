#pragma once

#include <cstddef>
#include <cstdint>

#include "liven/core/isa.hpp"

/// What the driver of the Winograd convolution F(4x4, 3x3) calls, once per instruction set. Channels come in blocks
/// of 16.
namespace liven::kernels {

inline constexpr int64_t winograd_points = 36;  ///< of a tile: 6 x 6 source pixels make 4 x 4 results

/// Floats that the points of a tile take. A line more than they need keeps the tiles from starting at the same places
/// of successive pages, where they would evict each other from L1.
constexpr int64_t winograd_tile_floats(int64_t channels) { return winograd_points * channels + 16; }

/// One tile: where its source rows start and where its results go.
struct WinogradTile {
    const float* rows[6] = {};  ///< the first of six pixels in each source row
    float* dst = nullptr;
    int64_t dst_rows = 4, dst_columns = 4;  ///< results that lie inside the map
};

/// A handful of tiles through all three steps: nothing transformed ever leaves L2.
struct WinogradGroup {
    const WinogradTile* tiles = nullptr;
    int64_t count = 0;
    int64_t depth = 0;               ///< source channels, a multiple of 16
    int64_t channels = 0;            ///< result channels, a multiple of 16
    int64_t src_step = 0;            ///< floats from one source pixel to the next
    const float* weights = nullptr;  ///< channels / 16 x 36 x depth x 16
    int64_t dst_row_step = 0;
    int64_t dst_step = 0;
    float* src_points = nullptr;      ///< scratch, count x winograd_tile_floats(depth)
    float* dst_points = nullptr;      ///< scratch, count x winograd_tile_floats(channels)
    bool add = false;                 ///< the products are added to dst_points instead of written
    const std::byte* soon = nullptr;  ///< memory that will be read next: asked into L2 meanwhile
    int64_t soon_bytes = 0;
};

struct WinogradTable {
    /// 3 x 3 x depth x 16 packed weights, `tap_step` floats from tap to tap, to 36 x depth x 16.
    void (*weights)(const float* packed, int64_t tap_step, int64_t depth, float* points) noexcept = nullptr;
    /// All three steps.
    void (*group)(const WinogradGroup&) noexcept = nullptr;
    /// The first two: source and products, to dst_points.
    void (*products)(const WinogradGroup&) noexcept = nullptr;
    /// The last, from dst_points, for tiles [first, last) of the group.
    void (*results)(const WinogradGroup&, int64_t first, int64_t last) noexcept = nullptr;
};

const WinogradTable& winograd_table(Isa isa);

/// Tiles that are worth taking through the steps together.
inline constexpr int64_t winograd_group_tiles = 12;

}  // namespace liven::kernels
