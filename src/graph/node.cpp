#include "liven/graph/node.hpp"

#include <mutex>
#include <new>
#include <set>
#include <string>

namespace liven {

NodePtr Node::make() {
    thread_local uint64_t serial = 0;
    Node* node = new (pool_allocate(sizeof(Node))) Node;
    node->serial = ++serial;
    return NodePtr(node);
}

NodePtr::NodePtr(Node* node) noexcept : node_(node) {
    if (node_) ++node_->references_;
}

NodePtr::~NodePtr() {
    if (!node_ || --node_->references_ > 0) return;
    // A long chain must not be freed by recursion: inputs are moved to a list and freed one after the other.
    Node* pending = node_;
    pending->next_ = (Trace::current().remove(pending), nullptr);
    while (pending) {
        Node* node = pending;
        pending = node->next_;
        for (Value& input : node->inputs) {
            Node* child = input.node.node_;
            input.node.node_ = nullptr;
            if (!child || --child->references_ > 0) continue;
            Trace::current().remove(child);
            child->next_ = pending;
            pending = child;
        }
        node->~Node();
        pool_free(node, sizeof(Node));
    }
}

const void* Node::value(uint32_t output) const {
    if (has_scalar) return &scalar;
    return outputs[output].storage.data();
}

bool Node::is_held() const {
    if (group_handles_ > 0) return true;
    for (const Output& output : outputs)
        if (output.handles > 0) return true;
    return false;
}

Trace& Trace::current() {
    // Never destroyed, so that handles in static storage can still be released.
    thread_local Trace* trace = new Trace;
    return *trace;
}

void Trace::add(Node* node) {
    node->previous_ = nullptr;
    node->next_ = first_;
    if (first_) first_->previous_ = node;
    first_ = node;
    ++size_;
}

void Trace::remove(Node* node) {
    if (!node->previous_ && !node->next_ && first_ != node) return;
    if (node->previous_) node->previous_->next_ = node->next_;
    if (node->next_) node->next_->previous_ = node->previous_;
    if (first_ == node) first_ = node->next_;
    node->previous_ = node->next_ = nullptr;
    --size_;
}

void Trace::settle(Node* node) {
    current().remove(node);
    node->operation = nullptr;
    node->inputs.clear();
    node->effects.clear();
}

const char* intern(std::string_view path) {
    static std::mutex mutex;
    static auto* paths = new std::set<std::string, std::less<>>;
    const std::lock_guard lock(mutex);
    auto found = paths->find(path);
    if (found == paths->end()) found = paths->emplace(path).first;
    return found->c_str();
}

}  // namespace liven
