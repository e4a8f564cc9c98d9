#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "liven/graph/node.hpp"
#include "liven/graph/operation.hpp"

namespace liven {

/// A handle to a value that may not exist yet. Operations on tensors record; numbers are computed when somebody asks
/// for them (`data`, `item`) or when a commit (an optimiser's step) needs them. Copying a Tensor copies the handle.
///
/// A handle kept across a commit keeps its value: it costs memory and fusion, never a different number.
class Tensor {
public:
    /// No tensor; `defined()` is false.
    Tensor() = default;
    /// A scalar. Its value is an input of the plan: changing it from step to step costs nothing.
    Tensor(float value);  // NOLINT(google-explicit-constructor): x * 0.5f
    explicit Tensor(Value value);
    Tensor(const Tensor& other) : Tensor(other.value_) {}
    Tensor(Tensor&& other) noexcept = default;
    Tensor& operator=(Tensor other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Tensor();

    /// A leaf with these numbers, copied. Throws Error when their count is not that of the shape.
    static Tensor from(std::span<const float> values, const Shape& shape);
    static Tensor from(std::initializer_list<float> values, const Shape& shape);
    static Tensor from(std::span<const int32_t> values, const Shape& shape);
    /// A leaf that shares the buffer. The buffer must not change any more.
    static Tensor share(Buffer buffer, const Shape& shape, DType dtype = DType::f32);
    /// A 64-bit scalar: a seed, a counter.
    static Tensor counter(int64_t value);
    /// Constants, part of the graph's structure.
    static Tensor full(const Shape& shape, float value);
    static Tensor zeros(const Shape& shape) { return full(shape, 0.0f); }
    static Tensor ones(const Shape& shape) { return full(shape, 1.0f); }

    bool defined() const { return static_cast<bool>(value_); }
    const TensorType& type() const { return value_.type(); }
    const Shape& shape() const { return value_.shape(); }
    DType dtype() const { return type().dtype; }
    int rank() const { return shape().rank(); }

    /// The numbers, row-major; computed now if they have not been. Valid while a handle to this tensor lives.
    /// Reading never commits. Throws Error when T is not the element type.
    template <class T = float>
    std::span<const T> data() const {
        return {static_cast<const T*>(read(dtype_of<T>)), static_cast<size_t>(shape().count())};
    }
    /// The numbers, copied.
    template <class T = float>
    std::vector<T> to_vector() const {
        const auto values = data<T>();
        return {values.begin(), values.end()};
    }
    /// The number of a tensor with one element. Throws Error when it has more.
    float item() const;

    /// The same value, but gradients end here.
    Tensor detach() const;

    const Value& value() const { return value_; }
    Node* node() const { return value_.node.get(); }

private:
    const void* read(DType expected) const;

    Value value_;
};

/// While one lives, recorded operations take no part in gradients, and reading a tensor cuts it from its history.
class NoGrad {
public:
    NoGrad();
    ~NoGrad();
    NoGrad(const NoGrad&) = delete;
    NoGrad& operator=(const NoGrad&) = delete;
    static bool active();
};

/// While one lives, recorded nodes carry this module path (appended to the enclosing one) in plans, profiles and
/// errors.
class Scope {
public:
    explicit Scope(std::string_view name);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    /// The current path, interned.
    static const char* path();

private:
    const char* outer_;
};

/// The gradients of a scalar with respect to several tensors: recorded as one request, expanded when a plan is made.
/// Values passed on, not stored anywhere: hand them to an optimiser or an accumulator, or read them.
class Gradients {
public:
    Gradients(NodePtr request);  // NOLINT(google-explicit-constructor)
    Gradients(const Gradients& other);
    Gradients(Gradients&& other) noexcept = default;
    Gradients& operator=(Gradients other) noexcept {
        std::swap(request_, other.request_);
        return *this;
    }
    ~Gradients();

    size_t size() const { return request_->outputs.size(); }
    /// The gradient for the i-th tensor, of its shape; zeros when the scalar does not depend on it.
    Tensor operator[](size_t i) const { return Tensor(value(i)); }
    /// The edge itself: does not count as a handle.
    Value value(size_t i) const { return {request_, static_cast<uint32_t>(i)}; }
    Value loss() const { return request_->inputs[0]; }

private:
    NodePtr request_;
};

/// d loss / d tensor for each tensor. The loss must be a single f32 number. Throws Error otherwise.
Gradients gradients(const Tensor& loss, std::span<const Tensor> tensors);
inline Gradients gradients(const Tensor& loss, std::initializer_list<Tensor> tensors) {
    return gradients(loss, std::span<const Tensor>(tensors.begin(), tensors.size()));
}

}  // namespace liven
