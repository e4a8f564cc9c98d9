#include "fuse_regions.hpp"

#include <algorithm>
#include <utility>

#include "kernels/program.hpp"
#include "liven/graph/constant.hpp"
#include "liven/graph/operation.hpp"
#include "liven/ops/reduce.hpp"

// The rules of fusion. Each decides one thing; together they say where every pointwise operation and every sum is
// computed and which values reach memory.

namespace liven::detail {
namespace {

// A value with several readers is computed in each of them rather than stored when that reads no more than this many
// stored values of its size: storing costs a write and one read a reader, recomputing costs these reads.
constexpr size_t kRecomputeLoads = 2;
constexpr int kRecomputeOperations = 12;
// Programs longer than this spill out of L1 and gain nothing.
constexpr int kLongestProgram = 64;

bool is_sum(const Node& node) {
    return node.operation == &operation<ops::ReduceSum>() || node.operation == &operation<ops::MomentsOp>();
}

Shape padded_to(const Shape& shape, int rank) {
    Shape out;
    for (int axis = shape.rank(); axis < rank; ++axis) out.append(1);
    for (int64_t extent : shape) out.append(extent);
    return out;
}

}  // namespace

bool is_heavy(std::string_view name) {
    for (std::string_view heavy :
         {"exp", "log", "tanh", "sigmoid", "softplus", "gelu", "gelu_grad", "erf", "pow", "pow_const", "dropout"})
        if (name == heavy) return true;
    return false;
}

Value storage_of(Value value) {
    while (!value.node->is_leaf() && value.node->operation->view) value = Value(value.node->inputs[0]);
    return value;
}

std::optional<kernels::Access> access_of(const Shape& operand, const Shape& domain) {
    using kernels::Access;
    if (operand == domain) return Access::full;
    if (operand.count() == 1) return Access::scalar;
    if (operand.rank() > domain.rank()) {
        // Leading extents of 1 say nothing.
        const Shape tail(operand.extents().last(static_cast<size_t>(domain.rank())));
        if (tail.count() != operand.count()) return {};
        return access_of(tail, domain);
    }
    const Shape shape = padded_to(operand, domain.rank());
    if (shape == domain) return Access::full;
    if (shape[-1] == domain[-1] && shape.count() == domain[-1]) return Access::channel;
    const bool channels = shape[-1] == domain[-1];
    if (domain.rank() >= 3 && channels && shape[0] == domain[0] && shape.count() == domain[0] * domain[-1])
        return Access::sample_channel;
    if (shape[-1] == 1 && shape.count() * domain[-1] == domain.count()) return Access::pixel;
    return {};
}

std::optional<kernels::Reduction> reduction_of(const Node& node) {
    if (node.is_leaf() || !is_sum(node)) return {};
    const Shape& shape = node.inputs[0].shape();
    const uint32_t axes = node.as<ReduceAttributes>().axes, all = (1u << shape.rank()) - 1u;
    if (shape.rank() == 0 || shape.count() == 0) return {};
    const uint32_t first = 1u, last = 1u << (shape.rank() - 1);
    kernels::Reduction reduction;
    reduction.kind = node.operation == &operation<ops::MomentsOp>() ? kernels::Reduction::Kind::moments
                                                                    : kernels::Reduction::Kind::sum;
    if (axes == all)
        reduction.over = kernels::Reduction::Over::everything;
    else if (shape.rank() >= 2 && axes == (all & ~last))
        reduction.over = kernels::Reduction::Over::pixels_and_samples;
    else if (shape.rank() >= 3 && axes == (all & ~last & ~first))
        reduction.over = kernels::Reduction::Over::pixels;
    else
        return {};
    // Moments over everything would merge unlike channels: left to the step of its own.
    if (reduction.kind == kernels::Reduction::Kind::moments && axes == all) return {};
    return reduction;
}

Regions::Regions(const Graph& graph, const Forbidden& forbidden, bool merge)
    : graph_(graph), forbidden_(forbidden), merge_(merge), order_(graph.order()) {
    classify();
    for (const Node* node : order_) place(node);
    decide_stores();
}

void Regions::classify() {
    for (const Node* node : order_) {
        Info& info = info_[node];
        if (node->is_leaf())
            info.role = Role::source;
        else if (node->operation == &operation<ops::Constant>())
            info.role = Role::constant;
        else if (node->operation->view)
            info.role = Role::view;
        else if (node->operation->pointwise && kernels::opcode_from(node->operation->name()))
            info.role = Role::pointwise;
        else if (reduction_of(*node))
            info.role = Role::sum;
        else
            info.role = Role::core;
        for (size_t i = 0; i < node->inputs.size(); ++i) at(node->inputs[i].node.get()).uses.emplace_back(node, i);
    }
    for (const Graph::Root& root : graph_.roots) at(root.value.node.get()).is_root = true;
}

void Regions::place(const Node* node) {
    switch (role(node)) {
        case Role::source:
        case Role::view:
            return;
        case Role::constant:
            if (must_store(node)) join(node, open_group(nullptr, node->outputs[0].type.shape));
            return;
        case Role::pointwise:
            return place_pointwise(node);
        case Role::sum:
            return place_sum(node);
        case Role::core: {
            const int group = open_group(node, node->outputs[0].type.shape);
            at(node).home = group;
            for (const Value& input : node->inputs) collect_sources(input, groups_[static_cast<size_t>(group)].needs);
            return;
        }
    }
}

/// Rule 1: beside its operands, in the registers of the step that makes them. Rule 2: beside values that are read
/// anyway. Rule 3: a step of its own, when it must reach memory or is dear to repeat. Rule 4: nowhere; every reader
/// computes it.
void Regions::place_pointwise(const Node* node) {
    if (merge_)
        if (const auto group = home_beside_operands(node)) return join(node, *group);
    const Expression cost = expression(node, true);
    const bool dear = cost.loads.size() > kRecomputeLoads || cost.operations > kRecomputeOperations || cost.heavy;
    const bool stored =
        !merge_ || must_store(node) || (at(node).uses.size() > 1 && dear) || cost.operations > kLongestProgram / 2;
    if (!stored) return;
    if (merge_)
        if (const auto group = home_beside_shared_loads(node)) return join(node, *group);
    join(node, open_group(nullptr, node->outputs[0].type.shape));
}

void Regions::place_sum(const Node* node) {
    const Shape& domain = node->inputs[0].shape();
    if (merge_) {
        if (const auto group = home_beside_operands(node)) return join(node, *group);
        if (const auto group = home_beside_shared_loads(node)) return join(node, *group);
    }
    join(node, open_group(nullptr, domain));
}

int Regions::open_group(const Node* core, const Shape& domain) {
    groups_.push_back({.core = core, .domain = domain});
    return static_cast<int>(groups_.size()) - 1;
}

void Regions::join(const Node* node, int group) {
    Region& region = groups_[static_cast<size_t>(group)];
    at(node).home = group;
    region.members.push_back(node);
    const Expression cost = expression(node, true);
    region.loads.insert(cost.loads.begin(), cost.loads.end());
    region.size += cost.operations;
    for (const Value& input : node->inputs)
        if (!lives_in(input, region.domain, group)) collect_sources(input, region.needs);
    region.needs.erase(group);
}

/// The operand is in a register while the group's program runs.
bool Regions::lives_in(const Value& operand, const Shape& domain, int group) const {
    const Node* node = operand.node.get();
    if (at(node).home != group || !(operand.shape() == domain)) return false;
    if (role(node) == Role::pointwise) return true;
    return role(node) == Role::core && operand.output == 0;
}

bool Regions::can_join(const Node* node, int group) const {
    const Region& region = groups_[static_cast<size_t>(group)];
    const Shape& walked = role(node) == Role::sum ? node->inputs[0].shape() : node->outputs[0].type.shape;
    if (!(walked == region.domain) || region.size > kLongestProgram) return false;
    if (region.core && (region.core->outputs.size() != 1 || forbidden_.epilogue.contains(region.core))) return false;
    for (const Value& input : node->inputs) {
        if (lives_in(input, region.domain, group)) continue;
        if (!access_of(input.shape(), region.domain)) return false;
        std::set<int> sources;
        collect_sources(input, sources);
        for (int source : sources)
            if (source == group || reaches(source, group)) return false;
    }
    return true;
}

std::optional<int> Regions::home_beside_operands(const Node* node) const {
    std::optional<int> best;
    for (const Value& input : node->inputs) {
        const int group = at(input.node.get()).home;
        if (group < 0 || (best && *best >= group)) continue;
        if (lives_in(input, groups_[static_cast<size_t>(group)].domain, group) && can_join(node, group)) best = group;
    }
    return best;
}

std::optional<int> Regions::home_beside_shared_loads(const Node* node) const {
    const Expression cost = expression(node, true);
    for (int group = static_cast<int>(groups_.size()) - 1; group >= 0; --group) {
        const Region& region = groups_[static_cast<size_t>(group)];
        if (region.core) continue;
        const bool shares = std::any_of(cost.loads.begin(), cost.loads.end(),
                                        [&](const Node* load) { return region.loads.contains(load); });
        if (shares && can_join(node, group)) return group;
    }
    return {};
}

/// Group `from` can only run after group `to`.
bool Regions::reaches(int from, int to) const {
    seen_.resize(groups_.size(), 0);
    ++search_;
    pending_.assign(1, from);
    while (!pending_.empty()) {
        const int group = pending_.back();
        pending_.pop_back();
        if (group == to) return true;
        if (std::exchange(seen_[static_cast<size_t>(group)], search_) == search_) continue;
        const auto& needs = groups_[static_cast<size_t>(group)].needs;
        pending_.insert(pending_.end(), needs.begin(), needs.end());
    }
    return false;
}

/// The groups that must have run before the value can be read or computed.
void Regions::collect_sources(const Value& value, std::set<int>& groups) const {
    const Node* node = value.node.get();
    if (at(node).home >= 0) {
        groups.insert(at(node).home);
        return;
    }
    for (const Value& input : node->inputs) collect_sources(input, groups);
}

Regions::Expression Regions::expression(const Node* node, bool assume_homes_stored) const {
    Expression result;
    const Shape& domain = role(node) == Role::sum ? node->inputs[0].shape() : node->outputs[0].type.shape;
    if (role(node) == Role::pointwise) {
        result.operations = 1;
        result.heavy = is_heavy(node->operation->name());
    }
    for (const Value& input : node->inputs) extend(result, input, domain, assume_homes_stored);
    return result;
}

void Regions::extend(Expression& total, const Value& operand, const Shape& domain, bool assume_homes_stored) const {
    const Value stored = storage_of(operand);
    const Node* node = stored.node.get();
    const bool large = stored.shape().count() == domain.count() && domain.count() > 1;
    const bool computed_here = role(node) == Role::pointwise && stored == operand &&
                               (at(node).home < 0 || (!assume_homes_stored && !at(node).stored));
    if (computed_here) {
        const Expression inner = expression(node, assume_homes_stored);
        total.possible &= inner.possible;
        total.operations += inner.operations;
        total.heavy |= inner.heavy;
        total.loads.insert(inner.loads.begin(), inner.loads.end());
        return;
    }
    if (role(node) == Role::core && !assume_homes_stored && !at(node).stored) total.possible = false;
    if (large && role(node) != Role::constant) total.loads.insert(node);
}

bool Regions::takes_prologue(const Node* core, size_t i) const {
    const Value& operand = core->inputs[i];
    return i < 2 && role(operand.node.get()) == Role::pointwise && !at(operand.node.get()).stored;
}

bool Regions::can_inline_into(const Node* consumer, size_t operand, const Node* value) const {
    switch (role(consumer)) {
        case Role::pointwise:
            return consumer->outputs[0].type.shape == value->outputs[0].type.shape;
        case Role::sum:
            return true;
        case Role::core:
            return merge_ && operand < 2 && !forbidden_.prologue.contains({consumer, static_cast<int>(operand)});
        default:
            return false;
    }
}

bool Regions::must_store(const Node* node) const {
    const Info& info = at(node);
    if (info.is_root) return true;
    for (const auto& [consumer, operand] : info.uses) {
        const bool scalar =
            role(node) == Role::constant && (role(consumer) == Role::pointwise || role(consumer) == Role::sum);
        if (!scalar && (role(node) == Role::constant || !can_inline_into(consumer, operand, node))) return true;
    }
    return false;
}

void Regions::decide_stores() {
    for (const Node* node : order_) {
        Info& info = at(node);
        const bool read_elsewhere =
            info.is_root || std::any_of(info.uses.begin(), info.uses.end(), [&](const auto& use) {
                const Node* consumer = use.first;
                const bool inside =
                    (role(consumer) == Role::pointwise || role(consumer) == Role::sum) &&
                    at(consumer).home == info.home && info.home >= 0 && !(role(node) == Role::sum) &&
                    lives_in(consumer->inputs[use.second], groups_[static_cast<size_t>(info.home)].domain, info.home);
                return !inside;
            });
        switch (role(node)) {
            case Role::sum:
                info.stored = true;
                break;
            case Role::core:
                info.stored = read_elsewhere || node->outputs.size() > 1;
                break;
            case Role::constant:
                info.stored = info.home >= 0;
                break;
            case Role::pointwise: {
                if (info.home < 0 || !read_elsewhere) break;
                const Expression cost = expression(node, false);
                const bool cheap = cost.possible && cost.loads.size() <= kRecomputeLoads && !cost.heavy &&
                                   cost.operations <= kRecomputeOperations;
                info.stored = !merge_ || must_store(node) || !cheap;
                break;
            }
            default:
                break;
        }
    }
}

}  // namespace liven::detail
