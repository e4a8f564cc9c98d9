#include "narrow_maps.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "liven/graph/operation.hpp"

namespace liven::detail {
namespace {

// Smaller values never leave L1: nothing would be saved.
constexpr int64_t kSmallestMap = 8192;

/// An operand of a group.
struct MapUse {
    size_t group = 0, operand = 0;
    bool writes = false;
};

class MapNarrower {
public:
    MapNarrower(FusedGraph& fused, const EngineOptions& options)
        : groups_(fused.groups), graph_(fused.graph), options_(options) {}

    void run() {
        find_uses();
        find_parts_of_gradients();
        for (size_t g = 0; g < groups_.size(); ++g)
            for (size_t i = 0; i < groups_[g].outputs.size(); ++i) {
                const GroupOperand& output = groups_[g].outputs[i];
                const Value map = output.storage();
                const bool first = uses_.contains(key_of(map)) && !decided_[key_of(map)];
                if (!first || !is_large_map(map)) continue;
                decided_[key_of(map)] = true;
                const std::string reason = why_not(map);
                if (!reason.empty()) groups_[g].notes.push_back("stays in f32: " + reason);
            }
    }

private:
    void find_uses() {
        for (size_t g = 0; g < groups_.size(); ++g) {
            for (size_t i = 0; i < groups_[g].inputs.size(); ++i)
                uses_[key_of(groups_[g].inputs[i].storage())].push_back({.group = g, .operand = i});
            for (size_t i = 0; i < groups_[g].outputs.size(); ++i)
                uses_[key_of(groups_[g].outputs[i].storage())].push_back({.group = g, .operand = i, .writes = true});
        }
    }

    bool is_state_like(const Shape& shape) const {
        return std::any_of(graph_.leaves.begin(), graph_.leaves.end(),
                           [&](const NodePtr& leaf) { return leaf->is_state && leaf->outputs[0].type.shape == shape; });
    }

    /// Weights, their gradients and moments are no maps: small steps would be rounded away.
    bool is_large_map(const Value& value) const {
        return value.type().dtype == DType::f32 && value.shape().rank() >= 2 && value.shape().count() >= kSmallestMap &&
               !is_state_like(value.shape()) && !parts_.contains(key_of(value));
    }

    /// The gradient of weights that several steps read, or slices of, is a sum: what it is put together and added up of
    /// is as little a map as it is. A gradient that is asked for, but of no state, is taken for one of weights.
    void find_parts_of_gradients() {
        const std::vector<Node*> order = graph_.order();
        std::set<ValueKey> asked;
        for (const Graph::Root& root : graph_.roots) asked.insert(key_of(root.value));
        for (auto it = order.rbegin(); it != order.rend(); ++it) {
            const Node& node = **it;
            if (node.is_leaf() || !node.is_gradient || !hands_on(node)) continue;
            const ValueKey key{&node, 0};
            const bool is_gradient = is_state_like(node.outputs[0].type.shape) || asked.contains(key);
            if (!is_gradient && !parts_.contains(key)) continue;
            for (const Value& input : node.inputs) parts_.insert({key_of(input), key_of(storage_of(input))});
        }
    }

    /// Whether the result is made of the operands' values by addition and by placing them alone.
    static bool hands_on(const Node& node) {
        constexpr std::array<std::string_view, 8> sums{"add", "sub",   "neg",    "scale_const",
                                                       "pad", "slice", "concat", "permute"};
        const std::string_view name = node.operation->name();
        return node.operation->view || std::find(sums.begin(), sums.end(), name) != sums.end();
    }

    bool is_result(const Value& value) const {
        return std::any_of(graph_.roots.begin(), graph_.roots.end(),
                           [&](const Graph::Root& root) { return storage_of(root.value) == value; });
    }

    GroupOperand& operand(const MapUse& use) {
        Group& group = groups_[use.group];
        return use.writes ? group.outputs[use.operand] : group.inputs[use.operand];
    }

    /// Stores the map in bf16; otherwise nothing changes and the answer is the reason.
    std::string why_not(const Value& map) {
        if (is_result(map)) return "a handle, a state or a result keeps it";
        const std::vector<MapUse>& uses = uses_.at(key_of(map));
        for (const MapUse& use : uses)
            if (std::string reason = why_not_by_program(use); !reason.empty()) return reason;
        std::map<size_t, Group> before;
        for (const MapUse& use : uses) {
            before.try_emplace(use.group, groups_[use.group]);
            GroupOperand& narrowed = operand(use);
            narrowed.bf16 = true;
            groups_[use.group].bytes -= 2.0 * static_cast<double>(narrowed.shape.count());
        }
        std::string reason;
        for (auto& [g, group] : before) {
            if (groups_[g].in_place) continue;  // nothing is left to do
            reason = choose_kernel(groups_[g]);
            if (!reason.empty()) break;
        }
        if (!reason.empty())
            for (auto& [g, group] : before) groups_[g] = std::move(group);
        return reason;
    }

    /// Programs read bf16 value by value only, and what they sum up to one number is worth all its bits.
    std::string why_not_by_program(const MapUse& use) const {
        const Group& group = groups_[use.group];
        if (use.writes) return group.is_reduction(use.operand) ? "it is a sum" : "";
        bool by_program = false;
        for (const kernels::Program* program : {&group.prologue[0], &group.prologue[1], &group.epilogue})
            for (const kernels::ProgramInput& input : program->inputs) {
                if (input.operand != static_cast<int>(use.operand)) continue;
                if (input.access != kernels::Access::full) return name_of(group) + " reads one value of it for several";
                by_program = true;
            }
        // What is summed of a factor's values are products, each of which is rounded in any case.
        if (!by_program && multiplies(group)) return {};
        const auto sums_all = [](const kernels::Reduction& reduction) {
            return reduction.over == kernels::Reduction::Over::everything;
        };
        const auto& sums = group.epilogue.reductions;
        return std::any_of(sums.begin(), sums.end(), sums_all) ? name_of(group) + " sums it up to a single number" : "";
    }

    static bool multiplies(const Group& group) {
        return group.op() == "matmul" || std::string_view(group.op()).starts_with("conv2d");
    }

    static std::string name_of(const Group& group) {
        return std::string(group.op()) + (*group.scope ? " of " + group.place() : "");
    }

    std::string choose_kernel(Group& group) const {
        if (!group.kernel) return name_of(group) + " has reference loops only, which know f32";
        const kernels::Choice choice = kernels::choose(group.problem(options_.strict_math), options_.isa);
        group.kernel = choice.chosen;
        if (choice.chosen) return {};
        return name_of(group) + ": " + (choice.refused.empty() ? "no kernel" : choice.refused.front().second);
    }

    std::vector<Group>& groups_;
    const Graph& graph_;
    const EngineOptions& options_;
    std::map<ValueKey, std::vector<MapUse>> uses_;
    std::map<ValueKey, bool> decided_;
    std::set<ValueKey> parts_;  ///< of gradients of weights
};

}  // namespace

void narrow_maps(FusedGraph& fused, const EngineOptions& options) { MapNarrower(fused, options).run(); }

}  // namespace liven::detail
