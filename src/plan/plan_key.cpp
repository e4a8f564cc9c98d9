#include "plan_key.hpp"

#include <bit>

#include "liven/graph/operation.hpp"

namespace liven::detail {
namespace {

uint64_t edge(const Value& value) { return static_cast<uint64_t>(value.node->index) << 32 | value.output; }

uint64_t flags_of(const EngineOptions& options) {
    return static_cast<uint64_t>(options.executor) | static_cast<uint64_t>(options.isa) << 4 |
           static_cast<uint64_t>(options.strict_math) << 8 | static_cast<uint64_t>(options.detect_anomaly) << 9 |
           static_cast<uint64_t>(options.dtype) << 10;
}

}  // namespace

class FieldWriter final : public FieldVisitor {
public:
    explicit FieldWriter(PlanKey& key) : key_(key) {}
    void field(std::string_view name, int64_t value) override { key_.push(static_cast<uint64_t>(value), name); }
    void field(std::string_view name, double value) override { key_.push(std::bit_cast<uint64_t>(value), name); }

private:
    PlanKey& key_;
};

void PlanKey::push(uint64_t word, std::string_view name) {
    if (words_.size() == wanted_) {
        found_ = current_ && *current_->scope ? std::string(current_->scope) + ": " : std::string();
        if (current_ && !current_->is_leaf()) found_ += std::string(current_->operation->name()) + " ";
        found_ += name;
    }
    words_.push_back(word);
}

void PlanKey::write_type(const TensorType& type) {
    push(static_cast<uint64_t>(type.shape.rank()) << 8 | static_cast<uint64_t>(type.dtype), "type");
    for (int64_t extent : type.shape) push(static_cast<uint64_t>(extent), "extent");
}

std::string PlanKey::name_of_word(size_t i, const std::vector<Node*>& nodes, std::span<const Value> keep,
                                  std::span<const Engine::Target> targets, const EngineOptions& options) {
    wanted_ = i;
    found_.clear();
    write(nodes, keep, targets, options);
    wanted_ = SIZE_MAX;
    return found_;
}

void PlanKey::write(const std::vector<Node*>& nodes, std::span<const Value> keep,
                    std::span<const Engine::Target> targets, const EngineOptions& options) {
    words_.clear();
    push(flags_of(options), "engine option");
    push(options.tuning, "tuning table");
    push(static_cast<uint64_t>(options.arena_limit), "arena limit");
    push(nodes.size(), "node count");
    for (const Node* node : nodes) write_node(*node);
    current_ = nullptr;
    push(keep.size(), "kept values");
    for (const Value& value : keep) push(edge(value), "kept value");
    for (const Engine::Target& target : targets) {
        push(edge(target.value), "assigned value");
        push(static_cast<uint64_t>(target.state->index), "state");
    }
}

void PlanKey::write_node(const Node& node) {
    current_ = &node;
    if (node.is_leaf()) {
        push(1u | (node.is_state ? 2u : 0u) | (node.has_scalar ? 4u : 0u), "kind of leaf");
        write_type(node.outputs[0].type);
        return;
    }
    push(reinterpret_cast<uint64_t>(node.operation), "operation");
    push(node.stops_gradient ? 1 : 0, "no_grad");
    if (node.operation->fields) {
        FieldWriter writer(*this);
        node.operation->fields(node.attributes, writer);
    }
    push(node.inputs.size(), "operand count");
    for (const Value& input : node.inputs) push(edge(input), "operand");
    for (const Node::Output& output : node.outputs) write_type(output.type);
}

uint64_t PlanKey::hash() const {
    // Two independent multiply-xor lanes keep up with memory; the full comparison guards against collisions.
    uint64_t a = 0x9E3779B97F4A7C15u, b = 0xC2B2AE3D27D4EB4Fu;
    size_t i = 0;
    for (; i + 1 < words_.size(); i += 2) {
        a = (a ^ words_[i]) * 0xff51afd7ed558ccdu;
        b = (b ^ words_[i + 1]) * 0xc4ceb9fe1a85ec53u;
        a ^= a >> 29;
        b ^= b >> 31;
    }
    if (i < words_.size()) a = (a ^ words_[i]) * 0xff51afd7ed558ccdu;
    return a ^ std::rotl(b, 23);
}

bool differ_in_one_word(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b, size_t& where) {
    if (a.size() != b.size()) return false;
    size_t differences = 0;
    for (size_t i = 0; i < a.size() && differences < 2; ++i)
        if (a[i] != b[i]) {
            where = i;
            ++differences;
        }
    return differences == 1;
}

}  // namespace liven::detail
