#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fused.hpp"

namespace liven::detail {

/// What a node is to the fuser.
enum class Role {
    source,     ///< leaf: its value is given
    constant,   ///< one repeated number: read as a scalar wherever it is needed
    view,       ///< the memory of its operand
    pointwise,  ///< may be computed anywhere its operands can be read
    sum,        ///< a reduction that can ride at the end of a pointwise program
    core        ///< a step of its own
};

/// Why a rule of fusion does not apply to a node.
struct Refusal {
    std::string_view why;
    const Node* about = nullptr;  ///< the operand, reader or step that is the reason; null: the node itself

    /// "max_pool_grad of maxpool2 has several results".
    std::string str() const;
};

/// Decides which group computes each node and which values are written to memory: see fuse_rules.cpp.
class Regions {
public:
    /// Which merges a kernel has refused: found out by trying, and then not tried again.
    struct Forbidden {
        std::set<const Node*> epilogue;
        std::set<std::pair<const Node*, int>> prologue;
        std::unordered_map<const Node*, std::vector<std::string>> reasons;
    };

    Regions(const Graph& graph, const Forbidden& forbidden, bool merge);

    const std::vector<Node*>& order() const { return order_; }
    Role role(const Node* node) const { return at(node).role; }
    /// The group a node is computed in; -1 when it floats: computed inside every consumer.
    int home(const Node* node) const { return at(node).home; }
    bool is_stored(const Node* node) const { return at(node).stored; }
    size_t group_count() const { return groups_.size(); }
    const Node* core(size_t group) const { return groups_[group].core; }
    const Shape& domain(size_t group) const { return groups_[group].domain; }
    const std::vector<const Node*>& members(size_t group) const { return groups_[group].members; }
    /// Why a step of pointwise operations is a step of its own; empty for others.
    std::string why_apart(size_t group) const;
    /// Whether operand i of a core is made by a prologue.
    bool takes_prologue(const Node* core, size_t i) const;

private:
    /// What a rule says of a node.
    struct Verdict {
        std::optional<int> home;             ///< the group that computes it, or every_reader
        std::vector<Refusal> refusals = {};  ///< why it has none
    };
    struct Rule {
        std::string_view name;
        Verdict (Regions::*apply)(const Node*) const;
    };
    static constexpr int every_reader = -1;
    static const std::vector<Rule>& pointwise_rules();
    static const std::vector<Rule>& sum_rules();

    struct Info {
        Role role = Role::source;
        int home = -1;
        bool stored = false;
        bool is_root = false;
        std::vector<std::pair<const Node*, size_t>> uses;
    };
    struct Region {
        const Node* core = nullptr;
        Shape domain;
        std::vector<const Node*> members = {};  ///< pointwise and sums, in order
        std::set<int> needs = {};               ///< groups it reads from
        std::set<const Node*> loads = {};       ///< large values it reads
        int size = 0;                           ///< pointwise operations, with those inlined
        std::vector<std::pair<std::string_view, std::vector<Refusal>>> apart = {};  ///< by rule: why it was opened
    };
    /// What computing a value in place of reading it would cost.
    struct Expression {
        bool possible = true;
        int operations = 0;
        bool heavy = false;
        std::set<const Node*> loads;  ///< stored values of the same count it reads
    };

    const Info& at(const Node* node) const { return info_.at(node); }
    Info& at(const Node* node) { return info_.at(node); }

    void classify();
    void place(const Node* node);
    void place_core(const Node* node);
    void place_by(const std::vector<Rule>& rules, const Node* node);
    Verdict beside_operands(const Node* node) const;
    Verdict inside_readers(const Node* node) const;
    Verdict beside_shared_loads(const Node* node) const;
    void decide_stores();
    bool stores_core(const Node* node) const;
    bool stores_pointwise(const Node* node) const;

    std::optional<Refusal> must_store(const Node* node) const;
    bool can_inline_into(const Node* consumer, size_t operand, const Node* value) const;
    Refusal not_in_register(const Value& operand) const;
    std::optional<Refusal> refuse_join(const Node* node, int group) const;
    bool is_read_elsewhere(const Node* node) const;
    const Shape& walked(const Node* node) const;
    const Node* face(int group) const;
    bool lives_in(const Value& operand, const Shape& domain, int group) const;
    void join(const Node* node, int group);
    int open_group(const Node* core, const Shape& domain);
    bool reaches(int from, int to) const;
    void collect_sources(const Value& value, std::set<int>& groups) const;
    Expression expression(const Node* node, bool assume_homes_stored) const;
    void extend(Expression& expression, const Value& operand, const Shape& domain, bool assume_homes_stored) const;

    const Graph& graph_;
    const Forbidden& forbidden_;
    bool merge_;
    std::vector<Node*> order_;
    std::unordered_map<const Node*, Info> info_;
    std::vector<Region> groups_;
    // Of reaches(), which is asked so often that a set of its own each time would be most of the planning.
    mutable std::vector<uint32_t> seen_;  ///< by group: the last search that came by
    mutable std::vector<int> pending_;
    mutable uint32_t search_ = 0;
};

/// What the rules have computed in several steps rather than stored: see fuse_recomputed.cpp.
Recomputed recomputed_maps(const Regions& regions);

/// Pointwise operations that take many times as long as an addition.
bool is_heavy(std::string_view operation);

/// How an operand of this shape is read while a program walks the domain; nothing when no access fits.
std::optional<kernels::Access> access_of(const Shape& operand, const Shape& domain);

/// The reduction a sum node is, over the shape of its operand; nothing when its axes do not fit.
std::optional<kernels::Reduction> reduction_of(const Node& node);

}  // namespace liven::detail
