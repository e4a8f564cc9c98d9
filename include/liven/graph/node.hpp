#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "liven/core/buffer.hpp"
#include "liven/core/dtype.hpp"
#include "liven/core/shape.hpp"
#include "liven/core/small_vector.hpp"

namespace liven {

struct Operation;
class Node;

/// Shape and element type of a tensor.
struct TensorType {
    Shape shape;
    DType dtype = DType::f32;

    int64_t bytes() const { return shape.count() * static_cast<int64_t>(size_of(dtype)); }
    bool operator==(const TensorType&) const = default;
};

/// Counted pointer to a node.
class NodePtr {
public:
    NodePtr() = default;
    explicit NodePtr(Node* node) noexcept;
    NodePtr(const NodePtr& other) noexcept : NodePtr(other.node_) {}
    NodePtr(NodePtr&& other) noexcept : node_(other.node_) { other.node_ = nullptr; }
    NodePtr& operator=(NodePtr other) noexcept {
        Node* mine = node_;
        node_ = other.node_;
        other.node_ = mine;
        return *this;
    }
    ~NodePtr();

    Node* get() const { return node_; }
    Node* operator->() const { return node_; }
    Node& operator*() const { return *node_; }
    explicit operator bool() const { return node_ != nullptr; }
    bool operator==(const NodePtr& other) const { return node_ == other.node_; }

private:
    Node* node_ = nullptr;
};

/// One result of a node: an edge of the graph.
struct Value {
    NodePtr node;
    uint32_t output = 0;

    const TensorType& type() const;
    const Shape& shape() const { return type().shape; }
    explicit operator bool() const { return static_cast<bool>(node); }
    bool operator==(const Value& other) const = default;
};

/// A vertex of the graph: an operation with its attributes and inputs, or, when `operation` is null, a leaf that holds
/// a value. Nodes come from a recycled slab and keep everything short inside; recording one allocates nothing in the
/// steady state.
class Node {
public:
    struct Output {
        TensorType type;
        Buffer storage;       ///< the value, once it has been computed; leaves always have it (or `scalar`)
        int32_t handles = 0;  ///< how many user handles point here; see Tensor
    };
    /// state = momentum * state + (1 - momentum) * scale * output, once, when the node is committed.
    struct Effect {
        NodePtr state;
        uint32_t output = 0;
        float momentum = 0, scale = 1;
    };
    static constexpr size_t attribute_bytes = 120;

    static NodePtr make();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    bool is_leaf() const { return operation == nullptr; }
    /// The attributes as the operation's own struct.
    template <class Op>
    const Op& as() const {
        return *reinterpret_cast<const Op*>(attributes);
    }
    /// The bytes of a leaf, or of a result that was read.
    const void* value(uint32_t output = 0) const;
    bool has_value(uint32_t output = 0) const { return has_scalar || outputs[output].storage; }
    /// True when a user can still ask for any result.
    bool is_held() const;

    const Operation* operation = nullptr;
    alignas(8) std::byte attributes[attribute_bytes];
    SmallVector<Value, 4> inputs;
    SmallVector<Output, 1> outputs;
    SmallVector<Effect, 1> effects;

    uint64_t serial = 0;  ///< order of recording
    uint64_t scalar = 0;  ///< the value of a scalar leaf: an input of the plan, never part of its structure
    bool has_scalar = false;
    bool is_state = false;        ///< a leaf that commits may overwrite: parameters, moments, running statistics
    bool stops_gradient = false;  ///< recorded under no_grad, or detached
    bool is_gradient = false;     ///< made by the differentiate pass
    bool is_repeated = false;     ///< computed a second time for the backward pass
    const char* scope = "";       ///< path of the module that recorded it; interned, lives for ever

    // Scratch of the passes: valid only between two calls of `visit_order`.
    uint64_t visited = 0;
    int32_t index = -1;

private:
    friend class NodePtr;
    friend class Trace;
    Node() = default;
    ~Node() = default;

    int32_t references_ = 0;
    int32_t group_handles_ = 0;  ///< handles on all outputs at once (Gradients)
    Node* previous_ = nullptr;
    Node* next_ = nullptr;
};

inline const TensorType& Value::type() const { return node->outputs[output].type; }

/// The nodes that are still recorded and not yet evaluated, of this thread.
class Trace {
public:
    static Trace& current();

    Node* first() const { return first_; }
    static Node* next(const Node* node) { return node->next_; }
    int64_t size() const { return size_; }

    void add(Node* node);
    void remove(Node* node);
    static bool contains(const Node* node) { return node->previous_ || node->next_ || current().first_ == node; }
    static void hold_all(Node* node, int32_t by) { node->group_handles_ += by; }
    static bool held_all(const Node* node) { return node->group_handles_ > 0; }
    /// Turns a node whose wanted results have been stored into a leaf, and frees what only it needed.
    static void settle(Node* node);

private:
    Node* first_ = nullptr;
    int64_t size_ = 0;
};

/// A copy of `path` that lives for ever; equal paths give the same pointer.
const char* intern(std::string_view path);

}  // namespace liven
