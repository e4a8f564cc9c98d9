#include "workload.hpp"

#include "liven/core/philox.hpp"
#include "liven/graph/operation.hpp"
#include "liven/models/registry.hpp"

namespace liven::cli {

Workload::Workload(const ModelChoice& choice, int64_t batch, bool train, DType dense_weights)
    : model_(make_model(choice.name, choice.option_map())), objective_(model_->objective()), train_(train) {
    const Shape shape = batched(batch, choice.shape());
    model_->build(shape);
    model_->train(train);
    Random random(1);
    pixels_.resize(static_cast<size_t>(shape.count()));
    for (float& pixel : pixels_) pixel = random.uniform();
    std::vector<int32_t> classes(static_cast<size_t>(batch));
    for (size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int32_t>(i % 2);
    images_ = Tensor::from(std::span<const float>(pixels_), shape);
    labels_ = Tensor::from(std::span<const int32_t>(classes), {batch});
    if (train) {
        adam_ = std::make_unique<Adam>(model_->parameters(), Adam::Options{.learning_rate = 1e-4f});
        std::vector<float>().swap(pixels_);
    } else {
        session_.emplace(*model_, choice.shape(),
                         InferenceSession::Options{.batch = batch, .dense_weights = dense_weights});
    }
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
