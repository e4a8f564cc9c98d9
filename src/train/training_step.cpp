#include "training_step.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/evaluate.hpp"
#include "make_optimizer.hpp"
#include "memory_estimate.hpp"

namespace liven {
namespace {

/// While one lives, plans keep to a limit of their arena: evaluation and the rest are none of its business.
class ArenaLimit {
public:
    explicit ArenaLimit(int64_t bytes) : before_(Engine::current().options().arena_limit) {
        Engine::current().set_arena_limit(bytes);
    }
    ~ArenaLimit() { Engine::current().set_arena_limit(before_); }
    ArenaLimit(const ArenaLimit&) = delete;
    ArenaLimit& operator=(const ArenaLimit&) = delete;

private:
    int64_t before_;
};

int64_t correct_predictions(const Tensor& logits, const data::Batch& batch) {
    const auto values = logits.data();
    const int32_t* labels = batch.labels.as<int32_t>();
    const auto classes = static_cast<size_t>(logits.shape()[1]);
    int64_t correct = 0;
    for (size_t i = 0; i < static_cast<size_t>(batch.count); ++i) {
        const float* row = values.data() + i * classes;
        correct += std::max_element(row, row + classes) - row == labels[i] ? 1 : 0;
    }
    return correct;
}

/// Inverse frequencies: a set with as many of both gives 1 and 1.
Tensor weights_of_classes(const data::Dataset& train) {
    const auto total = static_cast<float>(train.size());
    const auto weight = [&](data::Label label) {
        return total / (2.0f * static_cast<float>(std::max<int64_t>(1, train.count(label))));
    };
    return Tensor::from({weight(data::Label::bonafide), weight(data::Label::attack)}, {2});
}

std::vector<Value> values_of(const Tensor& loss, const Gradients& all) {
    std::vector<Value> values{loss.value()};
    for (size_t i = 0; i < all.size(); ++i) values.push_back(all.value(i));
    return values;
}

/// Throws Error when the weights and moments alone exceed the machine, before any of that memory is touched.
void require_states(const TrainSettings& settings) {
    const auto model = make_model(settings.model, settings.model_options);
    model->outline(batched(settings.batch, settings.input()));
    MemoryEstimate{.states = bytes_of(model->states()) * (1 + moments_of(settings))}.require(available_memory());
}

}  // namespace

TrainingStep::TrainingStep(const TrainSettings& settings, const data::Dataset& train, std::string hint)
    : settings_(settings),
      model_(make_model(settings.model, settings.model_options)),
      objective_(model_->objective()),
      hint_(std::move(hint)) {
    require_states(settings);
    model_->seed(settings.seed);
    model_->build(batched(settings.batch, settings.input()));
    optimizer_ = make_optimizer(settings, model_->parameters());
    if (settings.accumulate > 1) accumulator_ = std::make_unique<GradientAccumulator>(model_->parameters());
    if (settings.class_weights) class_weights_ = weights_of_classes(train);
}

ObjectivePass TrainingStep::pass(const Tensor& images, const Tensor& labels) {
    ObjectivePass pass = objective_->pass(
        images, labels,
        {.label_smoothing = static_cast<float>(settings_.label_smoothing), .class_weights = class_weights_});
    pass.output = Tensor();  // a map that nobody reads would have to be kept all the same
    if (const Tensor penalty = l2_penalty(model_->parameters()); penalty.defined())
        pass.terms.push_back({.name = "l2", .value = penalty});
    return pass;
}

DType TrainingStep::dtype() const { return settings_.dtype == "bf16" ? DType::bf16 : DType::f32; }

void TrainingStep::limit_arena(int64_t bytes) {
    if (bytes <= 0) throw Error("--memory-limit", "weights, moments and batches leave nothing for the step");
    arena_limit_ = bytes;
}

PlanMemory TrainingStep::memory() {
    const ArenaLimit limit(arena_limit_);
    const WithDType storage(dtype());
    const Shape shape = batched(settings_.batch, described_.value_or(settings_.input()));
    const std::vector<int32_t> classes(static_cast<size_t>(settings_.batch), 0);
    const Tensor loss =
        pass(Tensor::zeros(shape), Tensor::from(std::span<const int32_t>(classes), {settings_.batch})).loss();
    model_->set_forward_count(model_->forward_count() - 1);
    const Graph graph = optimizer_->trace_step(gradients(loss, model_->parameters()));
    return make_plan(graph, Engine::current().options())->memory();
}

TrainingStep::Sums TrainingStep::run(data::Loader& loader, float learning_rate, int64_t step) {
    const WithDType storage(dtype());
    const ArenaLimit limit(arena_limit_);
    Sums sums;
    optimizer_->set_learning_rate(learning_rate);
    for (int64_t micro = 0; micro < settings_.accumulate; ++micro) {
        const auto before = std::chrono::steady_clock::now();
        const auto batch = loader.next();
        sums.waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
        if (!batch) break;
        const Tensor y = Tensor::share(batch->labels, {batch->count}, DType::i32);
        // No handle to scaled pixels: what a handle points to is stored.
        const ObjectivePass parts = pass(images_of(*batch, loader.options().preprocess), y);
        const Tensor loss = parts.loss();
        if (accumulator_)
            accumulator_->add(gradients(loss, model_->parameters()));
        else
            optimizer_->step(gradients(loss, model_->parameters()));
        if (!accumulator_ && !optimizer_->last_step_applied())
            explain_anomaly(images_of(*batch, loader.options().preprocess), y, step);
        const auto count = static_cast<double>(batch->count);
        sums.loss += static_cast<double>(loss.item()) * count;
        for (const LossTerm& term : parts.terms)
            sums.terms[term.name] += static_cast<double>(term.value.item()) * count;
        sums.images += batch->count;
        if (!parts.logits.defined()) continue;
        sums.classified += batch->count;
        sums.correct += correct_predictions(parts.logits, *batch);
    }
    if (sums.images == 0) return sums;
    if (accumulator_) optimizer_->step(*accumulator_);
    if (!optimizer_->last_step_applied())
        throw Error("training", "step " + std::to_string(step) + ": the gradients are not finite", hint_);
    return sums;
}

/// Repeats the batch that made a NaN without fusion, so that the operation can be named.
void TrainingStep::explain_anomaly(const Tensor& x, const Tensor& y, int64_t step) {
    model_->set_forward_count(model_->forward_count() - 1);
    const ArenaLimit unlimited(0);
    Engine::current().set_detect_anomaly(true);
    std::string what = "the loss or its gradients are not finite";
    try {
        const Tensor loss = pass(x, y).loss();
        const Gradients all = gradients(loss, model_->parameters());
        Engine::current().evaluate(values_of(loss, all));
    } catch (const Error& error) {
        what = error.what();
    }
    Engine::current().set_detect_anomaly(false);
    throw Error("training", "step " + std::to_string(step) + ": " + what, hint_);
}

}  // namespace liven
