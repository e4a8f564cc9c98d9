#include "fuse_regions.hpp"

#include <algorithm>
#include <utility>

#include "kernels/program.hpp"
#include "liven/graph/constant.hpp"
#include "liven/graph/operation.hpp"
#include "liven/ops/reduce.hpp"

namespace liven::detail {
namespace {

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

/// The shape whose rows a program walks to compute the node.
const Shape& Regions::walked(const Node* node) const {
    return role(node) == Role::sum ? node->inputs[0].shape() : node->outputs[0].type.shape;
}

/// What a group is called by.
const Node* Regions::face(int group) const {
    const Region& region = groups_[static_cast<size_t>(group)];
    return region.core || region.members.empty() ? region.core : region.members.front();
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
    const Shape& domain = walked(node);
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

}  // namespace liven::detail
