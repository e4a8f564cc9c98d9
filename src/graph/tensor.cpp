#include "liven/graph/tensor.hpp"

#include <cstring>
#include <string>

#include "liven/core/error.hpp"
#include "liven/graph/constant.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/record.hpp"

namespace liven {
namespace {

NodePtr make_leaf(const Shape& shape, DType dtype, Buffer storage) {
    NodePtr node = Node::make();
    node->outputs.push_back({.type = {.shape = shape, .dtype = dtype}, .storage = std::move(storage)});
    return node;
}

NodePtr make_scalar(DType dtype, const void* value, size_t bytes) {
    NodePtr node = make_leaf({}, dtype, {});
    std::memcpy(&node->scalar, value, bytes);
    node->has_scalar = true;
    return node;
}

template <class T>
Tensor copied(std::span<const T> values, const Shape& shape) {
    if (static_cast<int64_t>(values.size()) != shape.count())
        throw Error("Tensor::from", "expected " + std::to_string(shape.count()) + " numbers for " + shape.str() +
                                        ", got " + std::to_string(values.size()));
    Buffer buffer(values.size_bytes());
    if (!values.empty()) std::memcpy(buffer.data(), values.data(), values.size_bytes());
    return Tensor::share(std::move(buffer), shape, dtype_of<T>);
}

/// Asks for gradients; the differentiate pass replaces it.
struct GradientRequest {
    static constexpr OperationDoc doc{.name = "gradients",
                                      .category = "source",
                                      .summary = "the gradients of a scalar, expanded when a plan is made",
                                      .formula = "d input[0] / d input[i]"};
    void infer(InputTypes in, OutputTypes& out) const {
        if (in[0]->shape.count() != 1 || in[0]->dtype != DType::f32)
            throw Error("gradients", "the loss must be one f32 number, but it is " + in[0]->shape.str(),
                        "reduce it with mean() or sum() first");
        for (size_t i = 1; i < in.size(); ++i) {
            if (in[i]->dtype != DType::f32) throw Error("gradients", "only f32 tensors have gradients");
            out.push_back(*in[i]);
        }
    }
};

}  // namespace

Tensor::Tensor(float value) : Tensor(Value{make_scalar(DType::f32, &value, sizeof value), 0}) {}
Tensor Tensor::counter(int64_t value) { return Tensor(Value{make_scalar(DType::i64, &value, sizeof value), 0}); }

Tensor::Tensor(Value value) : value_(std::move(value)) {
    if (value_) ++value_.node->outputs[value_.output].handles;
}

Tensor::~Tensor() {
    if (value_) --value_.node->outputs[value_.output].handles;
}

Tensor Tensor::from(std::span<const float> values, const Shape& shape) { return copied(values, shape); }
Tensor Tensor::from(std::initializer_list<float> values, const Shape& shape) {
    return copied(std::span<const float>(values.begin(), values.size()), shape);
}
Tensor Tensor::from(std::span<const int32_t> values, const Shape& shape) { return copied(values, shape); }

Tensor Tensor::share(Buffer buffer, const Shape& shape, DType dtype) {
    if (buffer.bytes() < static_cast<size_t>(shape.count()) * size_of(dtype))
        throw Error("Tensor::share",
                    "a buffer of " + std::to_string(buffer.bytes()) + " bytes is too small for " + shape.str());
    return Tensor(Value{make_leaf(shape, dtype, std::move(buffer)), 0});
}

Tensor Tensor::full(const Shape& shape, float value) {
    ops::Constant op{.value = value, .rank = shape.rank()};
    for (int axis = 0; axis < shape.rank(); ++axis) op.extents[static_cast<size_t>(axis)] = shape[axis];
    return apply(op, {});
}

Tensor Tensor::detach() const { return apply(ops::Detach{}, {*this}); }

float Tensor::item() const {
    if (shape().count() != 1) throw Error("item", "expected a tensor with one element, got " + shape().str());
    return data<float>()[0];
}

const void* Tensor::read(DType expected) const {
    if (!defined()) throw Error("data", "this tensor holds nothing");
    if (dtype() != expected)
        throw Error("data", "the tensor holds " + std::string(name_of(dtype())) + ", asked for " +
                                std::string(name_of(expected)));
    if (!value_.node->has_value(value_.output)) Engine::current().evaluate({&value_, 1});
    return value_.node->value(value_.output);
}

Gradients::Gradients(NodePtr request) : request_(std::move(request)) { Trace::hold_all(request_.get(), 1); }
Gradients::Gradients(const Gradients& other) : Gradients(other.request_) {}
Gradients::~Gradients() {
    if (request_) Trace::hold_all(request_.get(), -1);
}

Gradients gradients(const Tensor& loss, std::span<const Tensor> tensors) {
    SmallVector<Value, 8> inputs;
    inputs.push_back(loss.value());
    for (const Tensor& tensor : tensors) inputs.push_back(tensor.value());
    const GradientRequest op;
    return {detail::record(operation<GradientRequest>(), &op, sizeof op, {inputs.data(), inputs.size()})};
}

namespace detail {
const Operation& gradient_request() { return operation<GradientRequest>(); }
}  // namespace detail

}  // namespace liven
