#pragma once

#include <algorithm>
#include <cstddef>

namespace liven::kernels {

/// Ways to go through memory once.
enum class MemoryPass {
    read,   ///< loads alone
    copy,   ///< loads, and stores of equally much
    stream  ///< the same with stores that go past the caches
};

/// Goes through `bytes` (a multiple of 64) at `src`, and at `dst` where the pass stores, on this thread. Returns the
/// bytes loaded and stored, each counted once. Both are 64-byte aligned.
double memory_probe(MemoryPass pass, const std::byte* src, std::byte* dst, size_t bytes);

/// Bytes a second between memory and all threads together.
struct MemoryRates {
    double read = 0, copy = 0, stream = 0;
    double best() const { return std::max({read, copy, stream}); }
};

/// What memory can do at this moment with `threads` threads, over blocks that fit into no cache: the best of a few
/// passes of each kind, a quarter of a second. Shares of the memory peak are against the best of the rates,
/// measured in the same run.
MemoryRates measure_memory_peak(int threads);

}  // namespace liven::kernels
