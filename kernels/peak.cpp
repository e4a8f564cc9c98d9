#include "kernels/peak.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "kernels/by_isa.hpp"

namespace liven::kernels {

double fma_probe_baseline(int64_t rounds);
double fma_probe_avx2(int64_t rounds);
double fma_probe_avx512(int64_t rounds);

double fma_probe(Isa isa, int64_t rounds) {
    return by_isa(isa, fma_probe_baseline, fma_probe_avx2, fma_probe_avx512)(rounds);
}

double measure_fma_peak(Isa isa, int threads) {
    using Clock = std::chrono::steady_clock;
    // Half a millisecond a probe: short beside a slice of the scheduler, so the best of them ran undisturbed.
    constexpr int64_t kRounds = 150'000;
    constexpr int kProbes = 24;
    std::atomic<int> arrived{0};
    std::vector<double> rates(static_cast<size_t>(threads), 0.0);
    std::vector<std::thread> workers;
    for (double& rate : rates)
        workers.emplace_back([&rate, &arrived, isa, threads] {
            ++arrived;
            while (arrived.load() < threads) std::this_thread::yield();
            for (int i = 0; i < kProbes; ++i) {
                const Clock::time_point start = Clock::now();
                const double flops = fma_probe(isa, kRounds);
                rate = std::max(rate, flops / std::chrono::duration<double>(Clock::now() - start).count());
            }
        });
    for (std::thread& worker : workers) worker.join();
    double total = 0;
    for (double rate : rates) total += rate;
    return total;
}

}  // namespace liven::kernels
