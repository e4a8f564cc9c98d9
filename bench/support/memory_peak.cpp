#include "bench/support/memory_peak.hpp"

#include <immintrin.h>

#include <chrono>
#include <cstring>

namespace liven::bench {
namespace {

constexpr size_t kBytes = size_t{96} << 20;  // a thread; three times the last-level cache of the machines we know

// SSE is enough: one core does not wait for its loads' width, and every x86-64 has it.
float read_all(const std::byte* from) {
    const auto* at = reinterpret_cast<const float*>(from);
    __m128 a = _mm_setzero_ps(), b = a, c = a, d = a;
    for (size_t i = 0; i < kBytes / sizeof(float); i += 16) {
        a = _mm_add_ps(a, _mm_load_ps(at + i));
        b = _mm_add_ps(b, _mm_load_ps(at + i + 4));
        c = _mm_add_ps(c, _mm_load_ps(at + i + 8));
        d = _mm_add_ps(d, _mm_load_ps(at + i + 12));
    }
    return _mm_cvtss_f32(_mm_add_ps(_mm_add_ps(a, b), _mm_add_ps(c, d)));
}

template <bool kStream>
void copy_all(const std::byte* from, std::byte* to) {
    const auto* src = reinterpret_cast<const float*>(from);
    auto* dst = reinterpret_cast<float*>(to);
    for (size_t i = 0; i < kBytes / sizeof(float); i += 4) {
        if constexpr (kStream)
            _mm_stream_ps(dst + i, _mm_load_ps(src + i));
        else
            _mm_store_ps(dst + i, _mm_load_ps(src + i));
    }
    _mm_sfence();
}

}  // namespace

MemoryProbe::MemoryProbe(Team& team) : team_(team) {
    for (int i = 0; i < team.threads(); ++i) {
        std::memset(src_.emplace_back(kBytes).data(), 0, kBytes);
        std::memset(dst_.emplace_back(kBytes).data(), 0, kBytes);
    }
}

template <class Pass>
double MemoryProbe::rate(double bytes, const Pass& pass) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    team_.run([&](int thread) { pass(static_cast<size_t>(thread)); });
    return bytes * team_.threads() / std::chrono::duration<double>(Clock::now() - start).count();
}

double MemoryProbe::read_rate() {
    return rate(kBytes, [&](size_t i) {
        volatile float sink = read_all(src_[i].as<std::byte>());
        static_cast<void>(sink);
    });
}

MemoryRates MemoryProbe::measure() {
    MemoryRates best;
    for (int pass = 0; pass < 3; ++pass) {
        best.read = std::max(best.read, read_rate());
        best.copy = std::max(best.copy, rate(2.0 * kBytes, [&](size_t i) {
                                 copy_all<false>(src_[i].as<std::byte>(), dst_[i].as<std::byte>());
                             }));
        best.stream = std::max(best.stream, rate(2.0 * kBytes, [&](size_t i) {
                                   copy_all<true>(src_[i].as<std::byte>(), dst_[i].as<std::byte>());
                               }));
    }
    return best;
}

}  // namespace liven::bench
