// From what size on a second thread pays: chains of equal layers from tiny to large, run with one thread and with two
// by turns in one process. The engine walks steps below a reckoned 10 microseconds with one thread while the others
// wait (kSmallSeconds in src/plan/executor.cpp): there the two times should be the same, and from there on the second
// thread should bring something. `gain` is the median over the rounds of the one over the other.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bench/probe.hpp"
#include "liven/core/environment.hpp"
#include "liven/nn/layers.hpp"
#include "liven/nn/session.hpp"

namespace {

using namespace liven;
using namespace liven::bench;

constexpr int kLayers = 24, kRuns = 20;

/// kLayers of 3x3 convolutions over a map, or of dense layers over a row.
class Chain final : public Module {
public:
    Chain(const std::string& kind, int64_t size) : conv_(kind == "conv") {
        for (int i = 0; i < kLayers; ++i) {
            const std::string name = kind + std::to_string(i);
            if (conv_)
                convolutions_.push_back(
                    std::make_unique<Conv2d>(*this, name, Conv2d::Options{.filters = 16, .kernel = 3}));
            else
                layers_.push_back(std::make_unique<Dense>(*this, name, Dense::Options{.units = size}));
        }
    }
    std::string_view type() const override { return "Chain"; }

protected:
    Tensor forward(Tensor x) override {
        for (const auto& layer : convolutions_) x = (*layer)(x);
        for (const auto& layer : layers_) x = (*layer)(x);
        return x;
    }

private:
    bool conv_;
    std::vector<std::unique_ptr<Conv2d>> convolutions_;
    std::vector<std::unique_ptr<Dense>> layers_;
};

/// Microseconds that a layer takes.
double time_layer(InferenceSession& session, const std::vector<float>& sample, int threads) {
    set_thread_count(threads);
    session.run(sample);
    const auto start = std::chrono::steady_clock::now();
    for (int run = 0; run < kRuns; ++run) benchmark::DoNotOptimize(session.run(sample).data());
    const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
    return taken.count() / (kRuns * kLayers);
}

void chain(benchmark::State& state, const std::string& kind) {
    const int64_t size = state.range(0);
    const bool conv = kind == "conv";
    Chain network(kind, size);
    InferenceSession session(network, conv ? Shape{size, size, 16} : Shape{size});
    const std::vector<float> sample(static_cast<size_t>(conv ? size * size * 16 : size), 0.5f);
    std::vector<double> one, two, gains;
    for ([[maybe_unused]] auto _ : state) {
        one.push_back(time_layer(session, sample, 1));
        two.push_back(time_layer(session, sample, 2));
        gains.push_back(one.back() / two.back());
        state.SetIterationTime(two.back() * 1e-6);
    }
    const double flops = conv ? 18.0 * static_cast<double>(size * size * 256) : 2.0 * static_cast<double>(size * size);
    state.counters["kFLOP"] = flops / 1e3;
    state.counters["us_1_thread"] = median(one);
    state.counters["us_2_threads"] = median(two);
    state.counters["gain"] = median(gains);
}

}  // namespace

int main(int argc, char** argv) {
    for (const std::string kind : {"conv", "dense"})
        for (const int64_t size : {4, 8, 16, 24, 32, 48, 64, 128, 256, 512})
            if (kind == "dense" || size <= 128)
                benchmark::RegisterBenchmark((kind + "_layer").c_str(), [kind](benchmark::State& s) { chain(s, kind); })
                    ->Arg(size)
                    ->UseManualTime()
                    ->Iterations(20)
                    ->Unit(benchmark::kMicrosecond);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
}
