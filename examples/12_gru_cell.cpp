// A gated recurrent unit by hand, beside Liven's: two units that read a sequence of three numbers.
#include <array>
#include <liven/ops/gru.hpp>
#include <liven/ops/reduce.hpp>
#include <vector>

#include "expect.hpp"

using namespace liven;

namespace {

constexpr size_t kUnits = 2, kSteps = 3;
using State = std::array<float, kUnits>;

/// The weights of one gate: of the input, of the old state, and a bias.
struct Gate {
    State input;
    std::array<State, kUnits> recurrent;  ///< recurrent[from][to]
    State bias;

    float total(size_t unit, float x, const State& h) const {
        return input[unit] * x + recurrent[0][unit] * h[0] + recurrent[1][unit] * h[1] + bias[unit];
    }
};

const Gate kUpdate{{0.5f, -1.0f}, {{{0.1f, 0.3f}, {-0.2f, 0.4f}}}, {0.1f, 0.0f}};
const Gate kReset{{1.0f, 0.2f}, {{{0.5f, -0.3f}, {0.2f, 0.1f}}}, {0.0f, -0.1f}};
const Gate kCandidate{{0.8f, 0.6f}, {{{-0.4f, 0.7f}, {0.9f, 0.2f}}}, {0.05f, 0.15f}};

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

/// One step: what stays of the old state, and what the input and a part of the old state make of the new one.
State step(float x, const State& h) {
    State next{};
    for (size_t u = 0; u < kUnits; ++u) {
        const float z = sigmoid(kUpdate.total(u, x, h));  // how much stays
        const float r = sigmoid(kReset.total(u, x, h));   // how much of the old state the candidate sees
        const float seen = kCandidate.recurrent[0][u] * h[0] + kCandidate.recurrent[1][u] * h[1];
        const float candidate = std::tanh(kCandidate.input[u] * x + kCandidate.bias[u] + r * seen);
        next[u] = z * h[u] + (1 - z) * candidate;
    }
    return next;
}

/// A row of the three gates side by side, as the matrices of ops/gru.hpp have them.
std::vector<float> beside(const State& z, const State& r, const State& n) {
    return {z[0], z[1], r[0], r[1], n[0], n[1]};
}

}  // namespace

int main() {
    const std::array<float, kSteps> sequence{1.0f, -0.5f, 2.0f};
    std::vector<float> recurrent;
    for (size_t from = 0; from < kUnits; ++from)
        for (const float w : beside(kUpdate.recurrent[from], kReset.recurrent[from], kCandidate.recurrent[from]))
            recurrent.push_back(w);
    const GruWeights weights{
        .kernel = Tensor::from(beside(kUpdate.input, kReset.input, kCandidate.input), {1, 3 * kUnits}),
        .recurrent_kernel = Tensor::from(recurrent, {kUnits, 3 * kUnits}),
        .bias = Tensor::from(beside(kUpdate.bias, kReset.bias, kCandidate.bias), {3 * kUnits}),
        .recurrent_bias = Tensor::zeros({3 * kUnits})};
    const Tensor x = Tensor::from(std::vector<float>(sequence.begin(), sequence.end()), {1, kSteps, 1});
    const GruResult result = gru(x, Tensor::zeros({1, kUnits}), weights);

    State h{};
    for (size_t t = 0; t < kSteps; ++t) {
        h = step(sequence[t], h);
        std::printf("after %.1f\n", static_cast<double>(sequence[t]));
        for (size_t u = 0; u < kUnits; ++u) expect("  state", result.states.data()[t * kUnits + u], h[u]);
    }
    expect("the last state is the last of all states", result.last.data()[1], h[1]);

    // Back through time: the gradient of the last state reaches the first input, three steps before it.
    const Gradients g = gradients(sum(result.last), {x});
    constexpr float nudge = 1e-3f;
    const auto last_of = [&](float first) {
        State state{};
        for (size_t t = 0; t < kSteps; ++t) state = step(t == 0 ? first : sequence[t], state);
        return state[0] + state[1];
    };
    const float numeric = (last_of(sequence[0] + nudge) - last_of(sequence[0] - nudge)) / (2 * nudge);
    expect("d last / d first input, by a small nudge", g[0].data()[0], numeric, 1e-4f);
}
