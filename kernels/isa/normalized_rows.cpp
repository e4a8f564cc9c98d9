// Normalised rows: a load and a store a vector, and what a channel needs in registers. The store takes two cycles of a
// Zen 4 (one elsewhere), about what the arithmetic does.
#include "kernels/maps/normalized_rows.hpp"

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

struct Activation {
    vec slope, least;
    explicit LIVEN_INLINE Activation(const RowActivation& with) : slope(splat(with.slope)), least(splat(with.least)) {}
    LIVEN_INLINE vec operator()(vec x) const { return max_of(least, select(x > zero(), x, slope * x)); }
};

struct Nothing {
    explicit LIVEN_INLINE Nothing(const RowActivation&) {}
    LIVEN_INLINE vec operator()(vec x) const { return x; }
};

bool acts(const RowActivation& with) { return with.slope != 1 || with.least == 0; }

LIVEN_INLINE vec load_value(const float* p) { return load(p); }
LIVEN_INLINE vec load_value(const uint16_t* p) { return load_bf16(p); }

template <class T, class Before, class Behind>
void normalize(const NormalizedRow& row) {
    const Before before(row.before);
    const Behind behind(row.behind);
    // So many pixels stay in L1 while one vector of their channels follows the other.
    const int64_t most = row.channels < 128 ? 1024 / row.channels : 8;
    for (int64_t first = 0; first < row.pixels; first += most) {
        const int64_t pixels = row.pixels - first < most ? row.pixels - first : most;
        for (int64_t c = 0; c < row.channels; c += lanes) {
            const vec mean = row.mean ? load(row.mean + c) : zero();
            const vec scale = load(row.scale + c), shift = load(row.shift + c);
            const T* src = static_cast<const T*>(row.src) + first * row.src_step + c;
            float* dst = row.dst + first * row.dst_step + c;
            for (int64_t p = pixels; p > 0; --p, src += row.src_step, dst += row.dst_step)
                store(dst, behind(madd(before(load_value(src)) - mean, scale, shift)));
        }
    }
}

template <class T>
void normalize_values(const NormalizedRow& row) {
    if (acts(row.before))
        acts(row.behind) ? normalize<T, Activation, Activation>(row) : normalize<T, Activation, Nothing>(row);
    else
        acts(row.behind) ? normalize<T, Nothing, Activation>(row) : normalize<T, Nothing, Nothing>(row);
}

}  // namespace

void LIVEN_ISA_NAME(normalize_row)(const NormalizedRow& row) noexcept {
    row.src_is_bf16 ? normalize_values<uint16_t>(row) : normalize_values<float>(row);
}

}  // namespace liven::kernels
