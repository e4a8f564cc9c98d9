#include "workload.hpp"

#include "liven/core/bytes.hpp"
#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/graph/operation.hpp"
#include "liven/models/registry.hpp"

namespace liven::cli {

Workload::Workload(const ModelChoice& choice, const Options& options)
    : model_(make_model(choice.name, choice.option_map())), objective_(model_->objective()), train_(options.train) {
    const Shape shape = batched(options.batch, choice.shape());
    model_->build(shape);
    model_->train(train_);
    Random random(1);
    pixels_.resize(static_cast<size_t>(shape.count()));
    for (float& pixel : pixels_) pixel = random.uniform();
    std::vector<int32_t> classes(static_cast<size_t>(options.batch));
    for (size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int32_t>(i % 2);
    images_ = Tensor::from(std::span<const float>(pixels_), shape);
    labels_ = Tensor::from(std::span<const int32_t>(classes), {options.batch});
    Engine::current().set_dtype(options.dtype);
    if (train_) {
        adam_ = std::make_unique<Adam>(model_->parameters(), Adam::Options{.learning_rate = 1e-4f});
        std::vector<float>().swap(pixels_);
        if (options.memory_limit > 0) keep_to(options.memory_limit);
    } else {
        session_.emplace(*model_, choice.shape(),
                         InferenceSession::Options{
                             .batch = options.batch, .dense_weights = options.dense_weights, .dtype = options.dtype});
    }
}

void Workload::keep_to(int64_t memory_limit) {
    const double taken = bytes_of(model_->states()) + bytes_of(adam_->states()) +
                         static_cast<double>(images_.shape().count()) * sizeof(float);
    if (taken >= static_cast<double>(memory_limit))
        throw Error("--memory-limit", "weights, moments and images take " + megabytes(taken) + ", the limit is " +
                                          megabytes(static_cast<double>(memory_limit)));
    Engine::current().set_arena_limit(memory_limit - static_cast<int64_t>(taken));
}

void Workload::set_profiling(bool on) {
    if (session_) return session_->set_profiling(on);
    Engine::current().set_profiling(on);
}
std::vector<ProfileEntry> Workload::profile() const {
    return session_ ? session_->profile() : Engine::current().profile();
}
Timeline Workload::timeline() const { return session_ ? session_->timeline() : Engine::current().timeline(); }
MemoryMap Workload::memory_map() {
    return session_ ? session_->memory_map() : make_plan(graph(), options())->memory_map();
}
int64_t Workload::arena_bytes() const {
    return session_ ? session_->memory().arena_bytes : Engine::current().statistics().arena_bytes;
}
double Workload::repeated() const { return session_ ? 0 : Engine::current().statistics().repeated; }

Tensor Workload::loss() { return objective_->pass(images_, labels_).loss(); }

void Workload::run() {
    if (train_) {
        const Tensor value = loss();
        adam_->step(gradients(value, model_->parameters()));
    } else {
        session_->run(pixels_);
    }
}

Graph Workload::graph() {
    if (train_) {
        const Tensor value = loss();
        return adam_->trace_step(gradients(value, model_->parameters()));
    }
    const NoGrad no_grad;
    const Tensor output = (*model_)(images_);
    return Engine::current().graph_of({&output.value(), 1});
}

EngineOptions Workload::options() const {
    EngineOptions options = Engine::current().options();
    options.frozen_states = !train_;
    return options;
}

double Workload::flops() {
    double total = 0;
    const Graph lowered = lower(differentiate(graph()));  // named: it owns the nodes
    for (const Node* node : lowered.order()) {
        const std::string_view category = node->is_leaf() ? std::string_view() : node->operation->doc.category;
        if (category == "convolution" || category == "linear") total += cost_of(*node).flops;
    }
    return total;
}

}  // namespace liven::cli
