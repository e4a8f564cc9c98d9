#include "kernels/memory_peak.hpp"

#include <immintrin.h>

#include <barrier>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "liven/core/buffer.hpp"

namespace liven::kernels {
namespace {

// SSE is enough: one core does not wait for its loads' width, and every x86-64 has it.
float read_all(const float* src, size_t count) {
    __m128 a = _mm_setzero_ps(), b = a, c = a, d = a;
    for (size_t i = 0; i < count; i += 16) {
        a = _mm_add_ps(a, _mm_load_ps(src + i));
        b = _mm_add_ps(b, _mm_load_ps(src + i + 4));
        c = _mm_add_ps(c, _mm_load_ps(src + i + 8));
        d = _mm_add_ps(d, _mm_load_ps(src + i + 12));
    }
    return _mm_cvtss_f32(_mm_add_ps(_mm_add_ps(a, b), _mm_add_ps(c, d)));
}

template <bool kStream>
void copy_all(const float* src, float* dst, size_t count) {
    for (size_t i = 0; i < count; i += 4) {
        if constexpr (kStream)
            _mm_stream_ps(dst + i, _mm_load_ps(src + i));
        else
            _mm_store_ps(dst + i, _mm_load_ps(src + i));
    }
    _mm_sfence();
}

}  // namespace

double memory_probe(MemoryPass pass, const std::byte* src, std::byte* dst, size_t bytes) {
    const auto* from = reinterpret_cast<const float*>(src);
    auto* to = reinterpret_cast<float*>(dst);
    const size_t count = bytes / sizeof(float);
    if (pass == MemoryPass::read) {
        volatile float sink = read_all(from, count);
        static_cast<void>(sink);
        return static_cast<double>(bytes);
    }
    if (pass == MemoryPass::copy)
        copy_all<false>(from, to, count);
    else
        copy_all<true>(from, to, count);
    return 2 * static_cast<double>(bytes);
}

MemoryRates measure_memory_peak(int threads) {
    using Clock = std::chrono::steady_clock;
    constexpr size_t kBytes = size_t{192} << 20;  // of all threads together: twice the largest cache of a desktop
    // A pass is a quarter of that, some milliseconds: short beside a slice of the scheduler. Each takes another quarter
    // than the one before, which has left the caches when its turn comes again.
    constexpr int kPasses = 24, kKinds = 3, kQuarters = 4;
    constexpr MemoryPass kKind[] = {MemoryPass::read, MemoryPass::copy, MemoryPass::stream};
    const size_t chunk = kBytes / kQuarters / static_cast<size_t>(threads) / 64 * 64, share = chunk * kQuarters;
    struct Pass {
        Clock::time_point began, ended;
        double bytes = 0;
    };
    std::vector<Pass> passes(static_cast<size_t>(threads));
    std::barrier meeting(threads);
    double best[kKinds] = {};
    // From the first thread's start to the last one's end: a thread that the machine lets wait makes a pass slower,
    // never faster.
    const auto rate = [&] {
        Pass all = passes.front();
        for (size_t i = 1; i < passes.size(); ++i) {
            all.began = std::min(all.began, passes[i].began);
            all.ended = std::max(all.ended, passes[i].ended);
            all.bytes += passes[i].bytes;
        }
        return all.bytes / std::chrono::duration<double>(all.ended - all.began).count();
    };
    const auto work = [&](int thread) {
        Buffer src(share), dst(share);
        std::memset(src.data(), 0, share);
        std::memset(dst.data(), 0, share);
        Pass& pass = passes[static_cast<size_t>(thread)];
        for (int i = 0; i < kPasses * kKinds; ++i) {
            const size_t from = static_cast<size_t>(i % kQuarters) * chunk;
            meeting.arrive_and_wait();
            pass.began = Clock::now();
            pass.bytes = memory_probe(kKind[i % kKinds], src.as<std::byte>() + from, dst.as<std::byte>() + from, chunk);
            pass.ended = Clock::now();
            meeting.arrive_and_wait();
            if (thread == 0) best[i % kKinds] = std::max(best[i % kKinds], rate());
        }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(work, i);
    work(0);
    for (std::thread& other : others) other.join();
    return {.read = best[0], .copy = best[1], .stream = best[2]};
}

}  // namespace liven::kernels
