#include <algorithm>
#include <string>

#include "fuse_regions.hpp"
#include "liven/graph/operation.hpp"

// The rules of fusion, a function each. Those for pointwise operations and sums are tried in order; each names the step
// that computes the node, or why it does not apply. What none places is a step of its own, and says why. Behind them
// stand the rules for which values reach memory.

namespace liven::detail {
namespace {

// A value with several readers is computed in each of them rather than stored when that reads no more than this many
// stored values of its size: storing costs a write and one read a reader, recomputing costs these reads.
constexpr size_t kRecomputeLoads = 2;
constexpr int kRecomputeOperations = 12;
// Programs longer than this spill out of L1 and gain nothing.
constexpr int kLongestProgram = 64;

}  // namespace

std::string Refusal::str() const {
    if (!about) return std::string(why);
    std::string text(about->is_leaf() ? "a leaf" : about->operation->name());
    if (*about->scope) text += std::string(about->is_gradient ? " of the gradient of " : " of ") + about->scope;
    return text + ' ' + std::string(why);
}

const std::vector<Regions::Rule>& Regions::pointwise_rules() {
    static const std::vector<Rule> rules{{"with its operands", &Regions::beside_operands},
                                         {"in its readers", &Regions::inside_readers},
                                         {"beside what reads the same maps", &Regions::beside_shared_loads}};
    return rules;
}

const std::vector<Regions::Rule>& Regions::sum_rules() {
    static const std::vector<Rule> rules{{"with its operand", &Regions::beside_operands},
                                         {"beside what reads the same maps", &Regions::beside_shared_loads}};
    return rules;
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
            return place_by(pointwise_rules(), node);
        case Role::sum:
            return place_by(sum_rules(), node);
        case Role::core:
            return place_core(node);
    }
}

void Regions::place_core(const Node* node) {
    const int group = open_group(node, node->outputs[0].type.shape);
    at(node).home = group;
    for (const Value& input : node->inputs) collect_sources(input, groups_[static_cast<size_t>(group)].needs);
}

void Regions::place_by(const std::vector<Rule>& rules, const Node* node) {
    std::vector<std::pair<std::string_view, std::vector<Refusal>>> apart;
    if (merge_)
        for (const Rule& rule : rules) {
            Verdict verdict = (this->*rule.apply)(node);
            if (verdict.home == every_reader) return;
            if (verdict.home) return join(node, *verdict.home);
            apart.emplace_back(rule.name, std::move(verdict.refusals));
        }
    const int group = open_group(nullptr, walked(node));
    groups_[static_cast<size_t>(group)].apart = std::move(apart);
    join(node, group);
}

std::string Regions::why_apart(size_t group) const {
    std::string text;
    for (const auto& [rule, refusals] : groups_[group].apart) {
        text += (text.empty() ? "a step of its own: not " : "; not ") + std::string(rule);
        for (size_t i = 0; i < refusals.size(); ++i) text += (i == 0 ? " (" : ", ") + refusals[i].str();
        if (!refusals.empty()) text += ')';
    }
    return text;
}

/// Beside its operands, in the registers of the step that makes them: the latest, where several do.
Regions::Verdict Regions::beside_operands(const Node* node) const {
    Verdict verdict;
    for (const Value& input : node->inputs) {
        const int group = at(input.node.get()).home;
        if (verdict.home && group <= *verdict.home) continue;
        const bool in_register = group >= 0 && lives_in(input, groups_[static_cast<size_t>(group)].domain, group);
        const std::optional<Refusal> refusal = in_register ? refuse_join(node, group) : not_in_register(input);
        if (!refusal)
            verdict.home = group;
        else if (input.shape().count() == walked(node).count())  // one value a channel is no map
            verdict.refusals.push_back(*refusal);
    }
    return verdict;
}

/// In no step of its own: every reader computes it. Unless it must reach memory, is dear to repeat, or long.
Regions::Verdict Regions::inside_readers(const Node* node) const {
    if (const std::optional<Refusal> stored = must_store(node)) return {.home = {}, .refusals = {*stored}};
    const Expression cost = expression(node, true);
    const bool repeated = at(node).uses.size() > 1;
    const auto refused = [](std::string_view why) { return Verdict{.home = {}, .refusals = {{.why = why}}}; };
    if (repeated && cost.heavy) return refused("several would repeat what takes long");
    if (repeated && cost.loads.size() > kRecomputeLoads) return refused("several would read more than two maps for it");
    if (repeated && cost.operations > kRecomputeOperations) return refused("several would repeat many operations");
    if (cost.operations > kLongestProgram / 2) return refused("its program is long enough");
    return {.home = every_reader};
}

/// In a step of pointwise operations that reads some of the same maps anyway.
Regions::Verdict Regions::beside_shared_loads(const Node* node) const {
    Verdict verdict;
    const Expression cost = expression(node, true);
    for (int group = static_cast<int>(groups_.size()) - 1; group >= 0; --group) {
        const Region& region = groups_[static_cast<size_t>(group)];
        if (region.core) continue;
        const bool shares = std::any_of(cost.loads.begin(), cost.loads.end(),
                                        [&](const Node* load) { return region.loads.contains(load); });
        if (!shares) continue;
        const std::optional<Refusal> refusal = refuse_join(node, group);
        if (!refusal) return {.home = group};
        verdict.refusals.push_back(*refusal);
    }
    if (verdict.refusals.empty()) verdict.refusals.push_back({.why = "there is none"});
    return verdict;
}

/// Why an operand is in no register of the step that makes it.
Refusal Regions::not_in_register(const Value& operand) const {
    const Node* node = operand.node.get();
    switch (role(node)) {
        case Role::source:
            return {.why = "is given", .about = node};
        case Role::view:
            return {.why = "is read under another shape", .about = storage_of(operand).node.get()};
        case Role::sum:
            return {.why = "is known only behind all rows", .about = node};
        case Role::core:
            return {.why = "has several results", .about = node};
        default:
            return {.why = "is made where it is read", .about = node};
    }
}

/// Why a group's program cannot compute the node as well; nothing when it can.
std::optional<Refusal> Regions::refuse_join(const Node* node, int group) const {
    const Region& region = groups_[static_cast<size_t>(group)];
    if (!(walked(node) == region.domain)) return Refusal{"walks other rows", face(group)};
    if (region.size > kLongestProgram) return Refusal{"has a program that is long enough", face(group)};
    if (region.core && region.core->outputs.size() != 1) return Refusal{"has several results", region.core};
    if (region.core && forbidden_.epilogue.contains(region.core))
        return Refusal{"has no kernel that takes a program", region.core};
    for (const Value& input : node->inputs) {
        if (lives_in(input, region.domain, group)) continue;
        if (!access_of(input.shape(), region.domain))
            return Refusal{"can be read by no program here", input.node.get()};
        std::set<int> sources;
        collect_sources(input, sources);
        for (int source : sources)
            if (source == group || reaches(source, group)) return Refusal{"must have ended before", face(group)};
    }
    return {};
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

/// Why a value has to be in memory; nothing when it need not be.
std::optional<Refusal> Regions::must_store(const Node* node) const {
    const Info& info = at(node);
    if (info.is_root) return Refusal{"it is a result"};
    for (const auto& [consumer, operand] : info.uses) {
        const bool scalar =
            role(node) == Role::constant && (role(consumer) == Role::pointwise || role(consumer) == Role::sum);
        if (scalar) continue;
        if (role(node) == Role::constant || !can_inline_into(consumer, operand, node))
            return Refusal{role(consumer) == Role::core        ? "has no kernel that makes it"
                           : role(consumer) == Role::pointwise ? "walks other rows"
                                                               : "reads it under another shape",
                           consumer};
    }
    return {};
}

/// Whether somebody reads the value who does not find it in a register.
bool Regions::is_read_elsewhere(const Node* node) const {
    const Info& info = at(node);
    return info.is_root || std::any_of(info.uses.begin(), info.uses.end(), [&](const auto& use) {
               const Node* consumer = use.first;
               const bool inside =
                   (role(consumer) == Role::pointwise || role(consumer) == Role::sum) &&
                   at(consumer).home == info.home && info.home >= 0 && !(role(node) == Role::sum) &&
                   lives_in(consumer->inputs[use.second], groups_[static_cast<size_t>(info.home)].domain, info.home);
               return !inside;
           });
}

bool Regions::stores_core(const Node* node) const { return node->outputs.size() > 1 || is_read_elsewhere(node); }

/// What others read too is stored unless they can make it themselves at little cost.
bool Regions::stores_pointwise(const Node* node) const {
    if (at(node).home < 0 || !is_read_elsewhere(node)) return false;
    const Expression cost = expression(node, false);
    const bool cheap =
        cost.possible && cost.loads.size() <= kRecomputeLoads && !cost.heavy && cost.operations <= kRecomputeOperations;
    return !merge_ || must_store(node) || !cheap;
}

void Regions::decide_stores() {
    for (const Node* node : order_) {
        Info& info = at(node);
        switch (role(node)) {
            case Role::sum:
                info.stored = true;
                break;
            case Role::constant:
                info.stored = info.home >= 0;
                break;
            case Role::core:
                info.stored = stores_core(node);
                break;
            case Role::pointwise:
                info.stored = stores_pointwise(node);
                break;
            default:
                break;
        }
    }
}

}  // namespace liven::detail
