#pragma once

// What a result of Winograd's convolutions goes through on its registers, on its way to memory: WinogradFinish, vector
// by vector. Include it from kernels/isa/*.cpp only, as kernels/simd.hpp.

#include "kernels/simd.hpp"
#include "kernels/winograd/table.hpp"

namespace liven::kernels {
namespace {

constexpr bool reads_map(WinogradFinishKind kind) { return kind >= WinogradFinishKind::added; }
constexpr bool takes_moments(WinogradFinishKind kind) {
    return kind == WinogradFinishKind::activated_moments || kind == WinogradFinishKind::biased_moments ||
           kind == WinogradFinishKind::added_moments || kind == WinogradFinishKind::activated_moments_of_added;
}
constexpr bool sums_up(WinogradFinishKind kind) { return takes_moments(kind) || kind >= WinogradFinishKind::stepped; }

/// What results of some channels go through, and four chains of sums: one would wait for its additions.
template <WinogradFinishKind K>
struct Finisher {
    vec bias, slope, least, mean, shift;
    vec first[4], second[4];

    LIVEN_INLINE Finisher(const WinogradFinish& finish, int64_t channel)
        : bias(finish.bias ? load(finish.bias + channel) : zero()),
          slope(splat(finish.slope)),
          least(splat(finish.least)),
          mean(K == WinogradFinishKind::centred ? load(finish.mean + channel) : zero()) {}

    /// Continues the block, or starts it: at `value`, the first.
    LIVEN_INLINE void begin(const WinogradFinish& finish, int64_t channel, int64_t channels, bool fresh, vec value,
                            vec map) {
        if constexpr (!sums_up(K)) return;
        const float* block = finish.block + channel;
        if (fresh) {
            shift = summed(value, map);
            first[0] = second[0] = zero();
        } else if (takes_moments(K)) {
            shift = load(block);
            first[0] = load(block + channels);
            second[0] = load(block + 2 * channels);
        } else {
            first[0] = load(block);
            second[0] = load(block + channels);
        }
#pragma GCC unroll 3
        for (int i = 1; i < 4; ++i) first[i] = second[i] = zero();
    }
    LIVEN_INLINE void end(const WinogradFinish& finish, int64_t channel, int64_t channels) const {
        if constexpr (!sums_up(K)) return;
        float* block = finish.block + channel;
        const vec a = (first[0] + first[1]) + (first[2] + first[3]);
        const vec b = (second[0] + second[1]) + (second[2] + second[3]);
        if (takes_moments(K)) {
            store(block, shift);
            store(block + channels, a);
            store(block + 2 * channels, b);
        } else {
            store(block, a);
            store(block + channels, b);
        }
    }

    LIVEN_INLINE vec leaky(vec x) const { return max_of(least, select(x > zero(), x, slope * x)); }
    LIVEN_INLINE vec summed(vec x, vec map) const {
        if constexpr (K == WinogradFinishKind::stepped) return select(map > zero(), x, slope * x);
        if constexpr (K == WinogradFinishKind::centred) return x * (leaky(map) - mean);
        const vec z = leaky(x + bias);
        if constexpr (reads_map(K)) return map + z;
        return z;
    }
    LIVEN_INLINE vec written(vec x, vec map) const {
        if constexpr (K == WinogradFinishKind::plain || K == WinogradFinishKind::centred) return x;
        if constexpr (K == WinogradFinishKind::biased_moments) return x + bias;
        if constexpr (K == WinogradFinishKind::activated_moments_of_added) return leaky(x + bias);
        return summed(x, map);
    }
    LIVEN_INLINE vec take(vec x, vec map, int chain) {
        if constexpr (takes_moments(K)) {
            const vec d = summed(x, map) - shift;
            first[chain] = first[chain] + d;
            second[chain] = madd(d, d, second[chain]);
        } else if constexpr (sums_up(K)) {
            first[chain] = first[chain] + summed(x, map);
            if constexpr (K == WinogradFinishKind::centred) second[chain] = second[chain] + x;
        }
        return written(x, map);
    }
};

/// Maps as floats, or as bf16 rounded one way or the other.
struct Floats {
    using Value = float;
    static LIVEN_INLINE vec get(const float* p) { return load(p); }
    static LIVEN_INLINE void put(float* p, vec v) { store(p, v); }
};
template <bool native>
struct Halves {
    using Value = uint16_t;
    static LIVEN_INLINE vec get(const uint16_t* p) { return load_bf16(p); }
    static LIVEN_INLINE void put(uint16_t* p, vec v) { store_bf16<native>(p, v); }
};

/// Where the results of a tile go, and the second map beside them.
template <class Value>
struct ResultPlaces {
    Value* dst;
    int64_t dst_row_step, dst_step;
    const Value* map;
    int64_t map_row_step, map_step;
};

/// Results of a tile that hangs over the edge of the map.
template <int Side, WinogradFinishKind K, class Storage>
void finish_part(Finisher<K>& finisher, const WinogradFinish& finish, const WinogradTile& tile,
                 const ResultPlaces<typename Storage::Value>& places, const vec (&values)[Side][Side], int64_t channel,
                 int64_t channels, bool fresh) {
    const auto map_at = [&](int64_t y, int64_t x) {
        return reads_map(K) ? Storage::get(places.map + y * places.map_row_step + x * places.map_step) : zero();
    };
    finisher.begin(finish, channel, channels, fresh, values[0][0], map_at(0, 0));
    for (int64_t y = 0; y < tile.dst_rows; ++y)
        for (int64_t x = 0; x < tile.dst_columns; ++x)
            Storage::put(places.dst + y * places.dst_row_step + x * places.dst_step,
                         finisher.take(values[y][x], map_at(y, x), 0));
    finisher.end(finish, channel, channels);
}

}  // namespace
}  // namespace liven::kernels
