// Normalised rows: a load and a store a vector, and what a channel needs in registers. The store takes two cycles of a
// Zen 4 (one elsewhere), about what the arithmetic does.
#include "kernels/normalized_rows.hpp"

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

template <class Before, class Behind>
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
            const float* src = row.src + first * row.src_step + c;
            float* dst = row.dst + first * row.dst_step + c;
            for (int64_t p = pixels; p > 0; --p, src += row.src_step, dst += row.dst_step)
                store(dst, behind(madd(before(load(src)) - mean, scale, shift)));
        }
    }
}

}  // namespace

void LIVEN_ISA_NAME(normalize_row)(const NormalizedRow& row) noexcept {
    if (acts(row.before))
        acts(row.behind) ? normalize<Activation, Activation>(row) : normalize<Activation, Nothing>(row);
    else
        acts(row.behind) ? normalize<Nothing, Activation>(row) : normalize<Nothing, Nothing>(row);
}

}  // namespace liven::kernels
