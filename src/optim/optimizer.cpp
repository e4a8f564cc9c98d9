#include "liven/optim/optimizer.hpp"

#include <cmath>

#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/record.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/update.hpp"
#include "liven/optim/accumulator.hpp"

namespace liven {

Optimizer::Optimizer(std::span<const Parameter> parameters, const Common& options)
    : options_(options), parameters_(parameters.begin(), parameters.end()) {
    if (parameters_.empty())
        throw Error("optimizer", "there are no parameters to train", "call model.build(shape) before parameters()");
}

size_t Optimizer::add_slot(std::string_view name) {
    const size_t first = states_.size();
    for (const Parameter& parameter : parameters_)
        states_.push_back(State::zeros(std::string(parameter.name()) + "/" + std::string(name), parameter.shape()));
    return first;
}

void Optimizer::require_count(size_t gradients) const {
    if (gradients != parameters_.size())
        throw Error("optimizer",
                    "expected " + std::to_string(parameters_.size()) + " gradients, got " + std::to_string(gradients));
}

void Optimizer::record_updates(SmallVector<Value, 8>& values) {
    assignments_.clear();
    prepare(steps_ + 1);
    const ops::GradientGuard op{.clip_norm = options_.clip_norm};
    const NodePtr guard =
        detail::record(operation<ops::GradientGuard>(), &op, sizeof op, {values.data(), values.size()});
    applied_ = result(guard, 0);
    norm_ = result(guard, 2);
    const Signals signals{.guard = applied_, .scale = result(guard, 1)};
    for (size_t i = 0; i < parameters_.size(); ++i) update(i, values[i + 1], signals, assignments_);
    values.clear();
}

void Optimizer::finish() {
    commit(assignments_, applied_);
    assignments_.clear();
    ++(last_step_applied() ? steps_ : skipped_);
}

// By value: the handles go before the commit, which would otherwise store every gradient.
void Optimizer::record_updates(Gradients gradients) {  // NOLINT(performance-unnecessary-value-param)
    require_count(gradients.size());
    SmallVector<Value, 8> values;
    values.push_back(gradients.loss());
    for (size_t i = 0; i < gradients.size(); ++i) values.push_back(gradients.value(i));
    record_updates(values);
}

void Optimizer::step(Gradients gradients) {
    record_updates(std::move(gradients));
    finish();
}

Graph Optimizer::trace_step(Gradients gradients) {
    const Value loss = gradients.loss();
    record_updates(std::move(gradients));
    const Value keep[] = {loss, applied_.value(), norm_.value()};
    Graph graph = trace_commit(assignments_, applied_, keep);
    assignments_.clear();
    applied_ = norm_ = Tensor();
    return graph;
}

void Optimizer::step(GradientAccumulator& accumulator) {
    require_count(accumulator.sums().size());
    if (accumulator.count() == 0) throw Error("optimizer", "nothing has been accumulated", "add() gradients first");
    {
        const Tensor share(1.0f / static_cast<float>(accumulator.count()));
        SmallVector<Value, 8> values;
        values.push_back((accumulator.loss().tensor() * share).value());
        for (const State& sum : accumulator.sums()) values.push_back((sum.tensor() * share).value());
        record_updates(values);
    }
    finish();
    accumulator.clear();
}

float Optimizer::gradient_norm() const { return norm_.defined() ? norm_.item() : 0.0f; }
bool Optimizer::last_step_applied() const { return !applied_.defined() || applied_.item() != 0.0f; }

Sgd::Sgd(std::span<const Parameter> parameters, const Options& options)
    : Optimizer(parameters, {.learning_rate = options.learning_rate,
                             .clip_norm = options.clip_norm,
                             .clip_value = options.clip_value,
                             .weight_decay = options.weight_decay}),
      momentum_(options.momentum),
      nesterov_(options.nesterov) {
    velocity_ = add_slot("velocity");
}

void Sgd::prepare(int64_t) { rate_ = Tensor(learning_rate()); }

void Sgd::update(size_t i, const Value& gradient, const Signals& signals, std::vector<Assignment>& assignments) {
    const ops::SgdUpdate op{.momentum = momentum_,
                            .weight_decay = options_.weight_decay,
                            .clip_value = options_.clip_value,
                            .nesterov = nesterov_};
    const State& w = parameters()[i];
    const State& v = slot(velocity_, i);
    const NodePtr node = record(op, {w.tensor(), v.tensor(), Tensor(gradient), rate_, signals.guard, signals.scale});
    assignments.push_back({w, {node, 0}});
    assignments.push_back({v, {node, 1}});
}

Adam::Adam(std::span<const Parameter> parameters, const Options& options)
    : Optimizer(parameters, {.learning_rate = options.learning_rate,
                             .clip_norm = options.clip_norm,
                             .clip_value = options.clip_value,
                             .weight_decay = options.weight_decay}),
      beta1_(options.beta1),
      beta2_(options.beta2),
      epsilon_(options.epsilon),
      convention_(options.convention),
      decoupled_(options.decoupled) {
    first_moment_ = add_slot("m");
    second_moment_ = add_slot("v");
}

void Adam::prepare(int64_t step) {
    const double correction1 = 1.0 - std::pow(static_cast<double>(beta1_), static_cast<double>(step));
    const double correction2 = std::sqrt(1.0 - std::pow(static_cast<double>(beta2_), static_cast<double>(step)));
    const double rate = static_cast<double>(learning_rate());
    const bool keras = convention_ == Convention::keras;
    step_size_ = Tensor(static_cast<float>(keras ? rate * correction2 / correction1 : rate / correction1));
    denominator_scale_ = Tensor(static_cast<float>(keras ? 1.0 : 1.0 / correction2));
    decay_ = Tensor(1.0f - learning_rate() * options_.weight_decay);
}

void Adam::update(size_t i, const Value& gradient, const Signals& signals, std::vector<Assignment>& assignments) {
    const ops::AdamUpdate op{.beta1 = beta1_,
                             .beta2 = beta2_,
                             .epsilon = epsilon_,
                             .weight_decay = options_.weight_decay,
                             .clip_value = options_.clip_value,
                             .decoupled = decoupled_};
    const State &w = parameters()[i], &m = slot(first_moment_, i), &v = slot(second_moment_, i);
    const NodePtr node = record(op, {w.tensor(), m.tensor(), v.tensor(), Tensor(gradient), step_size_,
                                     denominator_scale_, decay_, signals.guard, signals.scale});
    assignments.push_back({w, {node, 0}});
    assignments.push_back({m, {node, 1}});
    assignments.push_back({v, {node, 2}});
}

}  // namespace liven
