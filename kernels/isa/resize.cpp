// Mixing rows, then columns: resizing, average pooling and their gradients.
//
// A row of the result is a weighted sum of a few rows (one vector loop over width x channels, coefficients in
// registers), and each of its pixels a weighted sum of a few pixels of that (loop: pixel, vector of channels, tap). The
// mixed row stays in L1 or L2. Bytes: src is read once from memory, dst written once; the mixed row costs one L1 write
// and read. One FMA a tap and load: memory speed is expected wherever channels fill vectors. The gradient is the same
// loop with the taps transposed: it gathers, so nothing is added concurrently and the order of sums depends on the
// shape alone. Sums over many pixels go row by row and then across, which keeps fp32 errors of global averages near
// 1e-7.
#include "kernels/pool/resize.hpp"

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

template <class Load, class Store>
LIVEN_INLINE void mix_at(const float* const* rows, const float* weights, int64_t count, Load get, Store put) {
    if (count == 0) return put(zero());
    vec sum = splat(weights[0]) * get(rows[0]);
    for (int64_t r = 1; r < count; ++r) sum = madd(splat(weights[r]), get(rows[r]), sum);
    put(sum);
}

void mix_rows(const float* const* rows, const float* weights, int64_t count, int64_t size, float* dst) {
    int64_t i = 0;
    if (count == 2) {
        const vec w0 = splat(weights[0]), w1 = splat(weights[1]);
        const float *a = rows[0], *b = rows[1];
        for (; i + lanes <= size; i += lanes) store(dst + i, madd(w1, load(b + i), w0 * load(a + i)));
    }
    for (; i + lanes <= size; i += lanes)
        mix_at(
            rows, weights, count, [=](const float* row) { return load(row + i); },
            [=](vec sum) { store(dst + i, sum); });
    const int64_t rest = size - i;
    if (rest > 0)
        mix_at(
            rows, weights, count, [=](const float* row) { return load_part(row + i, rest); },
            [=](vec sum) { store_part(dst + i, sum, rest); });
}

void mix_columns(const float* src, const TapsView& taps, int64_t channels, float* dst, int64_t dst_pixel) {
    const int64_t* begin = taps.begin;
    const int64_t* index = taps.index;
    const float* weight = taps.weight;
    const int64_t outputs = taps.outputs;
    for (int64_t x = 0; x < outputs; ++x, dst += dst_pixel) {
        const int64_t first = begin[x], last = begin[x + 1];
        int64_t c = 0;
        for (; c + lanes <= channels; c += lanes) {
            vec sum = zero();
            if (first < last) sum = splat(weight[first]) * load(src + index[first] * channels + c);
            for (int64_t j = first + 1; j < last; ++j)
                sum = madd(splat(weight[j]), load(src + index[j] * channels + c), sum);
            store(dst + c, sum);
        }
        const int64_t rest = channels - c;
        if (rest == 0) continue;
        vec sum = zero();
        if (first < last) sum = splat(weight[first]) * load_part(src + index[first] * channels + c, rest);
        for (int64_t j = first + 1; j < last; ++j)
            sum = madd(splat(weight[j]), load_part(src + index[j] * channels + c, rest), sum);
        store_part(dst + c, sum, rest);
    }
}

}  // namespace

const ResizeKernels& LIVEN_ISA_NAME(resize_kernels)();

const ResizeKernels& LIVEN_ISA_NAME(resize_kernels)() {
    static constexpr ResizeKernels kernels{.mix_rows = mix_rows, .mix_columns = mix_columns};
    return kernels;
}

}  // namespace liven::kernels
