#include "liven/graph/state.hpp"

#include <cstring>

#include "liven/core/error.hpp"

namespace liven {
namespace {

bool has_pending_reader(const NodePtr& leaf) {
    for (const Node* node = Trace::current().first(); node; node = Trace::next(node))
        for (const Value& input : node->inputs)
            if (input.node == leaf) return true;
    return false;
}

}  // namespace

State::State(std::string_view name, const Tensor& initial) : name_(intern(name)) {
    const auto values = initial.data<float>();
    leaf_ = Tensor::from(values, initial.shape());
    leaf_.node()->is_state = true;
}

State::State(std::string_view name, Buffer initial, const Shape& shape)
    : name_(intern(name)), leaf_(Tensor::share(std::move(initial), shape)) {
    leaf_.node()->is_state = true;
}

State State::zeros(std::string_view name, const Shape& shape) {
    Buffer buffer(static_cast<size_t>(shape.count()) * sizeof(float));
    std::memset(buffer.data(), 0, buffer.bytes());
    return State(name, std::move(buffer), shape);
}

void State::assign(std::span<const float> values) {
    if (static_cast<int64_t>(values.size()) != shape().count())
        throw Error(name(), "expected " + std::to_string(shape().count()) + " numbers for " + shape().str() + ", got " +
                                std::to_string(values.size()));
    Buffer buffer(values.size_bytes());
    if (!values.empty()) std::memcpy(buffer.data(), values.data(), values.size_bytes());
    replace(std::move(buffer));
}

void State::assign(const Tensor& value) {
    if (!(value.shape() == shape()))
        throw Error(name(), "expected a value of " + shape().str() + ", got " + value.shape().str());
    assign(value.data<float>());
}

void State::replace(Buffer buffer) {
    if (has_pending_reader(leaf_.value().node)) commit();
    leaf_.node()->outputs[0].storage = std::move(buffer);
}

void update_on_commit(const Tensor& owner, const State& state, MovingAverage average) {
    owner.node()->effects.push_back({.state = state.tensor().value().node,
                                     .output = owner.value().output,
                                     .momentum = average.momentum,
                                     .scale = average.scale});
}

double bytes_of(std::span<const State> states) {
    double bytes = 0;
    for (const State& state : states) bytes += static_cast<double>(state.shape().count()) * sizeof(float);
    return bytes;
}

}  // namespace liven
