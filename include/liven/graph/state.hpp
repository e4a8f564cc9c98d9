#pragma once

#include <span>
#include <string_view>

#include "liven/graph/tensor.hpp"

namespace liven {

struct Graph;

/// A named tensor that outlives the trace and that only a commit overwrites: parameters, an optimiser's moments,
/// running statistics. Copies are handles to the same state.
class State {
public:
    State() = default;
    /// Copies the initial value.
    State(std::string_view name, const Tensor& initial);
    /// Takes a float32 buffer as the initial value.
    State(std::string_view name, Buffer initial, const Shape& shape);
    /// A float32 state of zeros.
    static State zeros(std::string_view name, const Shape& shape);

    bool defined() const { return leaf_.defined(); }
    std::string_view name() const { return name_; }
    const Shape& shape() const { return leaf_.shape(); }
    /// The current value as an operand.
    const Tensor& tensor() const { return leaf_; }
    operator const Tensor&() const { return leaf_; }  // NOLINT(google-explicit-constructor)

    /// Replaces the value now. What was recorded with the old value is computed first. Throws Error on another shape or
    /// type.
    void assign(std::span<const float> values);
    void assign(const Tensor& value);

private:
    void replace(Buffer buffer);

    const char* name_ = "";
    Tensor leaf_;
};

/// What the values of the states take, in bytes, whether they are there yet or only outlined.
double bytes_of(std::span<const State> states);

/// A state that an optimiser trains.
struct Parameter : State {
    using State::State;
    bool trainable = true;
    float l2 = 0.0f;  ///< lambda of the L2 penalty lambda * sum(w^2), as Keras' kernel_regularizer
};

/// When the commit comes: state = momentum * state + (1 - momentum) * scale * result. Applied exactly once, and only if
/// a result of the node is part of what is committed; an abandoned trace changes nothing.
struct MovingAverage {
    float momentum = 0.99f;
    float scale = 1.0f;
};
void update_on_commit(const Tensor& owner, const State& state, MovingAverage average);

struct Assignment {
    State state;
    Value value;
};

/// Computes the assignments, every pending moving average they depend on and every tensor a handle still points to;
/// writes the states; frees the trace. When `guard` is given and turns out 0, no state changes.
void commit(std::span<const Assignment> assignments = {}, const Tensor& guard = {});

/// The graph that such a commit would plan and run, with `keep` as its other results. Nothing is computed or changed.
Graph trace_commit(std::span<const Assignment> assignments, const Tensor& guard, std::span<const Value> keep);

template <class Tensors>
requires std::is_convertible_v<decltype(*std::declval<const Tensors&>().begin()), const State&> Gradients
gradients(const Tensor& loss, const Tensors& states) {
    TensorList tensors;
    for (const State& state : states) tensors.push_back(state.tensor());
    return gradients(loss, std::span<const Tensor>(tensors.data(), tensors.size()));
}

}  // namespace liven
