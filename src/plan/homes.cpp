#include "homes.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "liven/graph/operation.hpp"
#include "liven/ops/shape.hpp"
#include "src/graph/rewrite.hpp"

namespace liven::detail {
namespace {

/// A place among a group's operands.
struct Use {
    size_t group = 0, operand = 0;
    bool writes = false;
};

int64_t channels_of(const Shape& shape) { return shape[-1]; }

/// Where channels lie: from channel `offset` of pixels `pixel_stride` apart, in the memory of `home`.
struct Lodging {
    Value home;  ///< empty: that of the operand's value
    int64_t offset = 0, pixel_stride = 0;
};

class Homes {
public:
    Homes(FusedGraph& fused, const EngineOptions& options)
        : groups_(fused.groups), graph_(fused.graph), options_(options) {}

    void run() {
        // Slices first: what reads them then reads the whole.
        for (size_t i = 0; i < groups_.size(); ++i)
            if (is_slice_of_channels(groups_[i])) read_in_place(i);
        for (size_t i = 0; i < groups_.size(); ++i)
            if (is_join_of_channels(groups_[i])) join_in_place(i);
        groups_.erase(
            std::remove_if(groups_.begin(), groups_.end(), [](const Group& group) { return group.outputs.empty(); }),
            groups_.end());
        std::move(copies_.begin(), copies_.end(), std::back_inserter(groups_));
    }

private:
    static bool is_plain(const Group& group, std::string_view op) {
        return group.op() == op && !group.has_epilogue && !group.has_prologue[0] && !group.has_prologue[1];
    }

    static bool is_slice_of_channels(const Group& group) {
        if (!is_plain(group, "slice")) return false;
        // Under whatever shape: a view of a dense value is dense.
        const Shape &from = group.inputs[0].shape, &to = group.outputs[0].shape;
        if (from.rank() < 2 || !group.inputs[0].dense()) return false;
        for (int axis = 0; axis + 1 < from.rank(); ++axis)
            if (from[axis] != to[axis]) return false;
        return group.outputs[0].value.type().dtype == DType::f32;
    }

    static bool is_join_of_channels(const Group& group) {
        if (!is_plain(group, "concat")) return false;
        const Shape& shape = group.outputs[0].shape;
        return shape.rank() >= 2 && group.core->as<ops::Concat>().axis == shape.rank() - 1 &&
               group.outputs[0].value.type().dtype == DType::f32;
    }

    bool is_root(const Value& value) const {
        return std::any_of(graph_.roots.begin(), graph_.roots.end(),
                           [&](const Graph::Root& root) { return storage_of(root.value) == value; });
    }

    /// Every operand that is this value; `made` tells whether a step of the plan writes it.
    std::vector<Use> uses_of(const Value& value, bool& made) const {
        std::vector<Use> uses;
        made = false;
        for (size_t g = 0; g < groups_.size(); ++g) {
            for (size_t i = 0; i < groups_[g].inputs.size(); ++i)
                if (groups_[g].inputs[i].value == value) uses.push_back({.group = g, .operand = i});
            for (size_t i = 0; i < groups_[g].outputs.size(); ++i)
                if (groups_[g].outputs[i].value == value) {
                    uses.push_back({.group = g, .operand = i, .writes = true});
                    made = true;
                }
        }
        return uses;
    }

    GroupOperand& operand(const Use& use) {
        Group& group = groups_[use.group];
        return use.writes ? group.outputs[use.operand] : group.inputs[use.operand];
    }

    /// Sums by sample are written side by side.
    static bool is_rows_of_sums(const Group& group, const Use& use) {
        const Shape& shape = group.outputs[use.writes ? use.operand : 0].shape;
        return use.writes && group.is_reduction(use.operand) && shape.count() != channels_of(shape);
    }

    /// Gives the operands their lodging if some kernel of each step takes it; otherwise nothing changes and `reason`
    /// says who refused.
    bool lodge(const std::vector<Use>& uses, const Lodging& lodging, std::string& reason) {
        std::vector<Group> before;
        for (const Use& use : uses) before.push_back(groups_[use.group]);
        bool accepted = true;
        for (const Use& use : uses) {
            GroupOperand& o = operand(use);
            accepted &= o.dense() && o.shape.rank() >= 2 && channels_of(o.shape) == channels_of(o.value.shape());
            if (is_rows_of_sums(groups_[use.group], use)) {
                accepted = false;
                reason = "its sums by sample are written side by side";
            }
            if (lodging.home) o.home = lodging.home;
            o.offset = lodging.offset;
            o.pixel_stride = lodging.pixel_stride;
        }
        for (const Use& use : uses) {
            if (!accepted) break;
            Group& group = groups_[use.group];
            const kernels::Choice choice = kernels::choose(group.problem(options_.strict_math), options_.isa);
            if (!choice.chosen)
                reason = std::string(group.op()) + " of " + group.scope + " takes no slice: " +
                         (choice.refused.empty() ? std::string("no kernel") : choice.refused.front().second);
            accepted &= choice.chosen != nullptr;
            group.kernel = choice.chosen;
        }
        // Backwards, so that a step that is used twice gets its first state.
        for (size_t i = uses.size(); !accepted && i-- > 0;) groups_[uses[i].group] = std::move(before[i]);
        return accepted;
    }

    void read_in_place(size_t slice) {
        const GroupOperand from = groups_[slice].inputs[0];
        const Value part = groups_[slice].outputs[0].value;
        if (is_root(part)) return;
        bool made = false;
        std::vector<Use> uses = uses_of(part, made);
        uses.erase(std::remove_if(uses.begin(), uses.end(), [](const Use& use) { return use.writes; }), uses.end());
        const auto begin = groups_[slice].core->as<ops::Slice>().begin;
        const auto last = static_cast<size_t>(from.shape.rank() - 1);
        std::string reason;
        const Lodging lodging{.home = {}, .offset = begin[last], .pixel_stride = channels_of(from.shape)};
        if (!lodge(uses, lodging, reason)) {
            groups_[slice].notes.push_back("copied: " + (reason.empty() ? "it is read under another shape" : reason));
            return;
        }
        const std::vector<Value> waits = groups_[slice].waits;
        for (const Use& use : uses) {
            operand(use).value = from.value;
            std::copy(waits.begin(), waits.end(), std::back_inserter(groups_[use.group].waits));
        }
        groups_[slice].outputs.clear();
    }

    void join_in_place(size_t join) {
        const Value whole = groups_[join].outputs[0].value;
        int64_t offset = 0;
        size_t housed = 0;
        std::vector<bool> in_place;
        const size_t parts = groups_[join].inputs.size();
        for (size_t i = 0; i < parts; ++i) {
            const GroupOperand part = groups_[join].inputs[i];
            in_place.push_back(
                house_part(join, i, {.home = whole, .offset = offset, .pixel_stride = channels_of(whole.shape())}));
            housed += in_place.back();
            offset += channels_of(part.shape);
        }
        if (housed == 0) return;
        offset = 0;
        for (size_t i = 0; i < parts; ++i) {
            const int64_t channels = channels_of(groups_[join].inputs[i].shape);
            if (!in_place[i]) copy_part(join, i, offset);
            GroupOperand& part = groups_[join].inputs[i];
            part.home = whole;
            part.offset = offset;
            part.pixel_stride = channels_of(whole.shape());
            offset += channels;
        }
        groups_[join].in_place = true;
        groups_[join].kernel = nullptr;
        groups_[join].bytes = 0;
    }

    bool house_part(size_t join, size_t i, const Lodging& lodging) {
        const GroupOperand part = groups_[join].inputs[i];
        const auto note = [&](const std::string& why) {
            groups_[join].notes.push_back("operand " + std::to_string(i) + " is copied: " + why);
            return false;
        };
        if (!part.dense() || part.home) return note("it lives elsewhere");
        if (is_root(part.value)) return note("a handle or a state keeps it");
        bool made = false;
        std::vector<Use> uses = uses_of(part.value, made);
        if (!made) return note("no step makes it");
        const auto here = std::remove_if(uses.begin(), uses.end(), [&](const Use& use) { return use.group == join; });
        if (uses.end() - here != 1) return note("it is joined twice");
        uses.erase(here, uses.end());
        std::string reason;
        return lodge(uses, lodging, reason) || note(reason.empty() ? "it is read under another shape" : reason);
    }

    /// A step that writes the part to its place.
    void copy_part(size_t join, size_t i, int64_t offset) {
        const GroupOperand part = groups_[join].inputs[i];
        const Value whole = groups_[join].outputs[0].value;
        const PassScope scope(*groups_[join].core, groups_[join].is_gradient);
        const Value copied = concat({Tensor(part.value)}, {.axis = part.shape.rank() - 1}).value();
        Group group;
        group.domain = part.shape;
        group.scope = groups_[join].scope;
        group.is_gradient = groups_[join].is_gradient;
        group.is_repeated = groups_[join].is_repeated;
        group.waits = groups_[join].waits;
        group.inputs = {part};
        group.outputs = {{.value = copied,
                          .shape = part.shape,
                          .home = whole,
                          .offset = offset,
                          .pixel_stride = channels_of(whole.shape())}};
        group.epilogue.inputs.push_back({.operand = 0});
        group.epilogue.code.push_back({.op = kernels::Opcode::copy, .dst = 1, .a = 0});
        group.epilogue.outputs.push_back({.source = 1, .operand = 0});
        group.epilogue.registers = 2;
        group.has_epilogue = true;
        group.bytes = 2.0 * static_cast<double>(part.value.type().bytes());
        group.kernel = kernels::choose(group.problem(options_.strict_math), options_.isa).chosen;
        groups_[join].inputs[i] = {copied, part.shape};
        copies_.push_back(std::move(group));
    }

    std::vector<Group>& groups_;
    const Graph& graph_;
    const EngineOptions& options_;
    std::vector<Group> copies_;
};

}  // namespace

void assign_homes(FusedGraph& fused, const EngineOptions& options) { Homes(fused, options).run(); }

}  // namespace liven::detail
