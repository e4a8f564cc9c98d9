#include "bench/support/memory_peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace liven::bench {
namespace {

constexpr size_t kBytes = size_t{96} << 20;  // a thread; three times the last-level cache of the machines we know

}  // namespace

MemoryProbe::MemoryProbe(Team& team) : team_(team) {
    for (int i = 0; i < team.threads(); ++i) {
        std::memset(src_.emplace_back(kBytes).data(), 0, kBytes);
        std::memset(dst_.emplace_back(kBytes).data(), 0, kBytes);
    }
}

double MemoryProbe::rate(kernels::MemoryPass pass) {
    using Clock = std::chrono::steady_clock;
    std::vector<double> bytes(static_cast<size_t>(team_.threads()));
    const Clock::time_point start = Clock::now();
    team_.run([&](int thread) {
        const auto i = static_cast<size_t>(thread);
        bytes[i] = kernels::memory_probe(pass, src_[i].as<std::byte>(), dst_[i].as<std::byte>(), kBytes);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return bytes[0] * team_.threads() / seconds;
}

double MemoryProbe::read_rate() { return rate(kernels::MemoryPass::read); }

MemoryRates MemoryProbe::measure() {
    MemoryRates best;
    for (int pass = 0; pass < 3; ++pass) {
        best.read = std::max(best.read, read_rate());
        best.copy = std::max(best.copy, rate(kernels::MemoryPass::copy));
        best.stream = std::max(best.stream, rate(kernels::MemoryPass::stream));
    }
    return best;
}

}  // namespace liven::bench
