#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "liven/graph/graph.hpp"
#include "liven/graph/state.hpp"

namespace liven {

class GradientAccumulator;

/// Updates parameters from gradients. A step is a commit: it computes the gradients, the update and everything a handle
/// still points to in one plan, whose last segment is the update. When the loss or the gradients' norm is not finite
/// nothing changes and the step counts as skipped.
class Optimizer {
public:
    virtual ~Optimizer() = default;
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;

    /// `gradients` are those of this optimiser's parameters, in their order. Hand them over (no handle kept) or they
    /// are stored. Throws Error when their number differs.
    void step(Gradients gradients);
    /// The same with the mean of the accumulated gradients, and empties the accumulator. Throws Error when nothing has
    /// been accumulated.
    void step(GradientAccumulator& accumulator);

    /// The graph that step() would plan and run: to print it, or to know what memory it takes. Nothing is computed or
    /// changed.
    Graph trace_step(Gradients gradients);

    float learning_rate() const { return options_.learning_rate; }
    void set_learning_rate(float rate) { options_.learning_rate = rate; }
    /// Updates made; skipped ones do not count.
    int64_t steps() const { return steps_; }
    void set_steps(int64_t steps) { steps_ = steps; }
    int64_t skipped() const { return skipped_; }
    /// Of the last step, before clipping.
    float gradient_norm() const;
    /// Whether the last step changed the parameters.
    bool last_step_applied() const;

    /// What a checkpoint must hold beside the parameters: "<parameter>/<slot>".
    virtual std::span<const State> states() const { return states_; }
    std::span<const Parameter> parameters() const { return parameters_; }

protected:
    /// What all optimisers share; each repeats the fields in its own Options, so that they can be named in one brace.
    struct Common {
        float learning_rate, clip_norm, clip_value, weight_decay;
    };
    Optimizer(std::span<const Parameter> parameters, const Common& options);

    /// Makes one state a parameter, of zeros; returns the index of the first.
    size_t add_slot(std::string_view name);
    const State& slot(size_t first, size_t parameter) const { return states_[first + parameter]; }

    /// What every update reads.
    struct Signals {
        Tensor guard;  ///< 1 when the update may happen
        Tensor scale;  ///< factor of clipping by norm
    };
    /// Appends the new values of parameter i and its slots.
    virtual void update(size_t i, const Value& gradient, const Signals& signals,
                        std::vector<Assignment>& assignments) = 0;
    /// Called once before the updates of a step.
    virtual void prepare(int64_t step) = 0;

    Common options_;

private:
    void require_count(size_t gradients) const;
    /// Records the updates and lets go of the gradients: one that somebody can still ask for would have to be stored.
    void record_updates(Gradients gradients);
    /// Records the guard and the updates; `values` are the loss and the gradients. They are cleared.
    void record_updates(SmallVector<Value, 8>& values);
    void finish();

    std::vector<Parameter> parameters_;
    std::vector<State> states_;
    std::vector<Assignment> assignments_;
    Tensor applied_, norm_;
    int64_t steps_ = 0, skipped_ = 0;
};

/// Stochastic gradient descent with momentum, as PyTorch has it: v = momentum * v + g; w -= rate * v, or with Nesterov
/// w -= rate * (g + momentum * v). Sutskever et al. 2013.
class Sgd : public Optimizer {
public:
    struct Options {
        float learning_rate = 1e-3f;
        float clip_norm = 0;     ///< > 0: gradients are scaled so that their common Euclidean norm is at most this
        float clip_value = 0;    ///< > 0: each gradient element is bounded by this
        float weight_decay = 0;  ///< coupled: weight_decay * w is added to the gradient, as PyTorch does
        float momentum = 0;
        bool nesterov = false;
    };
    explicit Sgd(std::span<const Parameter> parameters, const Options& options);
    explicit Sgd(std::span<const Parameter> parameters) : Sgd(parameters, Options()) {}

protected:
    void update(size_t i, const Value& gradient, const Signals& signals, std::vector<Assignment>& assignments) override;
    void prepare(int64_t) override;

private:
    float momentum_;
    bool nesterov_;
    size_t velocity_ = 0;
    Tensor rate_;
};

/// Adam (Kingma and Ba 2015). Where epsilon stands differs: Keras adds it to sqrt(v) and corrects the rate, PyTorch
/// adds it to the corrected sqrt(v). `decoupled` weight decay makes it AdamW (Loshchilov and Hutter 2019): w -= rate *
/// decay * w.
class Adam : public Optimizer {
public:
    enum class Convention { keras, pytorch };
    struct Options {
        float learning_rate = 1e-3f;
        float clip_norm = 0;     ///< > 0: gradients are scaled so that their common Euclidean norm is at most this
        float clip_value = 0;    ///< > 0: each gradient element is bounded by this
        float weight_decay = 0;  ///< coupled: weight_decay * w is added to the gradient (see `decoupled`)
        float beta1 = 0.9f, beta2 = 0.999f;
        float epsilon = 1e-7f;
        Convention convention = Convention::keras;
        bool decoupled = false;
    };
    explicit Adam(std::span<const Parameter> parameters, const Options& options);
    explicit Adam(std::span<const Parameter> parameters) : Adam(parameters, Options()) {}

protected:
    void update(size_t i, const Value& gradient, const Signals& signals, std::vector<Assignment>& assignments) override;
    void prepare(int64_t step) override;

private:
    float beta1_, beta2_, epsilon_;
    Convention convention_;
    bool decoupled_;
    size_t first_moment_, second_moment_;
    Tensor step_size_, denominator_scale_, decay_;
};

}  // namespace liven
