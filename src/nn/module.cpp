#include "liven/nn/module.hpp"

#include <utility>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"
#include "src/core/fnv.hpp"

namespace liven {
Module::Module(Module& parent, std::string_view name) : parent_(&parent) {
    // A module without a name of its own groups layers and leaves no trace in their paths.
    const char* between = parent.path_.empty() || name.empty() ? "" : "/";
    path_ = parent.path_ + between + std::string(name);
    scope_ = intern(name);
    parent.children_.push_back(this);
}

Module::~Module() = default;

Module& Module::root() {
    Module* module = this;
    while (module->parent_) module = module->parent_;
    return *module;
}

Module::Pass::Pass(Module& module) : module_(module), model_(module.root()) {
    if (model_.depth_++ == 0 && model_.training_) {
        model_.seed_input_ = Tensor::counter(static_cast<int64_t>(model_.seed_));
        model_.forward_input_ = Tensor::counter(model_.forward_count_++);
        ++model_.forward_serial_;
    }
    if (module.parent_ && *module.scope_) scope_.emplace(module.scope_);
}

Module::Pass::~Pass() {
    if (--model_.depth_ > 0) return;
    model_.seed_input_ = Tensor();
    model_.forward_input_ = Tensor();
}

Tensor Module::Pass::result(Tensor y) const {
    if (model_.observer_) (*model_.observer_)(module_, y);
    return y;
}

Tensor Module::operator()(const Tensor& x) {
    const Pass pass(*this);
    return pass.result(forward(x));
}

void Module::build(const Shape& input) {
    const NoGrad no_grad;
    Module& model = root();
    const bool before = std::exchange(model.training_, false);
    struct Restore {
        Module& model;
        bool training;
        ~Restore() { model.training_ = training; }
    } const restore{model, before};
    (*this)(Tensor::zeros(input));
}

void Module::outline(const Shape& input) {
    Module& model = root();
    model.initialises_ = false;
    struct Restore {
        Module& model;
        ~Restore() { model.initialises_ = true; }
    } const restore{model};
    build(input);
}

std::vector<Module::LayerRecord> Module::record_layers(const Tensor& x) {
    Tensor unused;
    return record_layers(x, unused);
}

std::vector<Module::LayerRecord> Module::record_layers(const Tensor& x, Tensor& output) {
    std::vector<LayerRecord> records;
    output = observe(x, [&](const Module& module, const Tensor& result) {
        if (module.children_.empty()) records.push_back({.layer = &module, .output = result});
    });
    return records;
}

Tensor Module::observe(const Tensor& x, const Observer& observer) {
    Module& model = root();
    if (model.observer_) throw Error("observe", "this forward is observed already");
    model.observer_ = &observer;
    struct Restore {
        Module& model;
        ~Restore() { model.observer_ = nullptr; }
    } const restore{model};
    return (*this)(x);
}

void Module::collect(std::vector<Parameter>& parameters, std::vector<State>& states) const {
    for (const State* state : own_states_) states.push_back(*state);
    for (const Parameter* parameter : own_parameters_)
        if (!frozen_ && parameter->trainable) parameters.push_back(*parameter);
    for (const Module* child : children_)
        if (frozen_) {
            std::vector<Parameter> none;
            child->collect(none, states);
        } else {
            child->collect(parameters, states);
        }
}

void Module::refresh() {
    if (!std::exchange(changed_, false)) return;
    parameters_.clear();
    states_.clear();
    collect(parameters_, states_);
}

std::span<const Parameter> Module::parameters() {
    Module& model = root();
    model.refresh();
    return model.parameters_;
}

std::span<const State> Module::states() {
    Module& model = root();
    model.refresh();
    return model.states_;
}

void Module::train(bool on) { root().training_ = on; }
void Module::freeze(bool on) {
    frozen_ = on;
    root().changed_ = true;
}

bool Module::training() const {
    for (const Module* module = this; module; module = module->parent_)
        if (module->frozen_) return false;
    return root().training_;
}

void Module::seed(uint64_t value) { root().seed_ = value; }
void Module::regularize(float l2) { root().l2_ = l2; }
uint64_t Module::seed() const { return root().seed_; }
int64_t Module::forward_count() const { return root().forward_count_; }
void Module::set_forward_count(int64_t count) { root().forward_count_ = count; }

Parameter& Module::parameter(Parameter& slot, std::string_view name, const Shape& shape,
                             const ParameterOptions& options) {
    if (slot.defined()) {
        if (!(slot.shape() == shape))
            throw Error(slot.name(), "was made as " + slot.shape().str() + ", but this input needs " + shape.str(),
                        "a model is built for one input size; make another model for another size");
        return slot;
    }
    Buffer values(static_cast<size_t>(shape.count()) * sizeof(float));
    const std::string path = path_.empty() ? std::string(name) : path_ + "/" + std::string(name);
    if (root().initialises_)
        options.initializer.fill({values.as<float>(), static_cast<size_t>(shape.count())}, shape,
                                 Random::mix(seed(), fnv1a(path)));
    slot = Parameter(path, std::move(values), shape);
    slot.trainable = options.trainable;
    slot.l2 = options.l2 > 0 || !options.trainable ? options.l2 : root().l2_;
    own_parameters_.push_back(&slot);
    own_states_.push_back(&slot);
    root().changed_ = true;
    return slot;
}

State& Module::statistic(State& slot, std::string_view name, const Shape& shape, float initial) {
    if (slot.defined()) return slot;
    const std::vector<float> values(static_cast<size_t>(shape.count()), initial);
    slot = State(path_ + "/" + std::string(name), Tensor::from(values, shape));
    own_states_.push_back(&slot);
    root().changed_ = true;
    return slot;
}

DropoutKey Module::dropout_key() {
    Module& model = root();
    if (dropout_forward_ != model.forward_serial_) {
        dropout_forward_ = model.forward_serial_;
        dropout_calls_ = 0;
    }
    const uint64_t layer = Random::mix(fnv1a(path_), dropout_calls_++);
    return {.seed = model.seed_input_, .forward = model.forward_input_, .layer = static_cast<uint32_t>(layer)};
}

Tensor l2_penalty(std::span<const Parameter> parameters) {
    Tensor total;
    for (const Parameter& parameter : parameters) {
        if (parameter.l2 == 0.0f) continue;
        const Tensor term = scale(sum(square(parameter.tensor())), parameter.l2);
        total = total.defined() ? total + term : term;
    }
    return total;
}

}  // namespace liven
