#include "allocate.hpp"

#include <algorithm>
#include <iomanip>
#include <map>
#include <sstream>

#include "arrange.hpp"
#include "hand_over.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/constant.hpp"
#include "liven/graph/operation.hpp"

namespace liven::detail {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kNone = static_cast<size_t>(-1);
size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class Allocator {
public:
    explicit Allocator(Schedule schedule) { layout_.schedule = std::move(schedule); }

    Layout run() {
        place_leaves();
        place_roots();
        collect_blocks();
        assign_offsets();
        bind_operands();
        sum_repeated();
        return std::move(layout_);
    }

private:
    const std::vector<Group>& groups() const { return layout_.schedule.fused.groups; }
    const Graph& graph() const { return layout_.schedule.fused.graph; }

    void place_leaves() {
        for (size_t i = 0; i < graph().leaves.size(); ++i)
            places_[{graph().leaves[i].get(), 0}] = {.kind = Place::Kind::leaf, .offset = i};
    }

    /// A result that a step makes is made where the caller wants it; one that is a leaf, or is wanted twice, is copied.
    void place_roots() {
        std::map<ValueKey, bool> made;
        for (const Group& group : groups())
            for (const GroupOperand& output : group.outputs) made[key_of(output.value)] = true;
        for (size_t i = 0; i < graph().roots.size(); ++i) {
            const Value value = storage_of(graph().roots[i].value);
            const ValueKey key = key_of(value);
            if (made.contains(key) && !places_.contains(key))
                places_[key] = {.kind = Place::Kind::root, .offset = i};
            else
                copied_.emplace_back(i, value);
        }
    }

    void collect_blocks() {
        collect_blocks_by_step();
        hand_over();
        for (size_t i = 0; i < groups().size(); ++i) {
            if (layout_.schedule.keeps(i)) keep_block(workspace_block_[i]);
            if (!layout_.schedule.keeps_all(i)) continue;
            // Another step may have made the block first: that of the concatenation whose part this is.
            for (const GroupOperand& output : groups()[i].outputs)
                if (const auto found = value_block_.find(key_of(output.storage()));
                    found != value_block_.end() && is_read_again(found->first))
                    keep_block(found->second);
        }
    }

    /// Whether runs after the first read the value: weights that are only packed need no place any more.
    bool is_read_again(const ValueKey& key) const {
        for (const auto& [root, value] : copied_)
            if (key_of(value) == key) return true;
        for (size_t i = 0; i < groups().size(); ++i)
            for (size_t input = 0; input < groups()[i].inputs.size(); ++input)
                if (key_of(groups()[i].inputs[input].storage()) == key && reads_again(i, static_cast<int>(input)))
                    return true;
        return false;
    }
    bool reads_again(size_t step, int input) const {
        const std::vector<kernels::Step::Stage>& stages = layout_.schedule.steps[step]->stages;
        const auto prepares = [input](const kernels::Step::Stage& stage) { return stage.reads == input; };
        const bool prepared = std::any_of(stages.begin(), stages.end(), prepares);
        for (size_t s = 0; s < stages.size(); ++s)
            if (!layout_.schedule.kept[step][s] && (prepared ? prepares(stages[s]) : stages[s].reads < 0)) return true;
        return false;
    }

    void collect_blocks_by_step() {
        const auto& span = layout_.schedule.span;
        const std::vector<size_t> writes = first_writes(layout_.schedule);
        // Several steps may write the parts of one value.
        std::map<ValueKey, size_t> first_use, last_use;
        for (size_t i = 0; i < groups().size(); ++i) {
            for (const GroupOperand& output : groups()[i].outputs) {
                size_t& first = first_use.try_emplace(key_of(output.storage()), writes[i]).first->second;
                first = std::min(first, writes[i]);
            }
            for (const auto& side : {groups()[i].inputs, groups()[i].outputs})
                for (const GroupOperand& operand : side) {
                    size_t& last = last_use[key_of(operand.storage())];
                    last = std::max(last, span[i].second);
                }
        }
        for (const auto& [root, value] : copied_) last_use[key_of(value)] = layout_.schedule.segments.size();
        for (size_t i = 0; i < groups().size(); ++i) {
            for (const GroupOperand& output : groups()[i].outputs) {
                const ValueKey key = key_of(output.storage());
                if (places_.contains(key) || value_block_.contains(key)) continue;
                value_block_[key] = layout_.blocks.size();
                layout_.blocks.push_back({.name = std::string(groups()[i].op()) + " " + groups()[i].scope,
                                          .bytes = aligned(output.storage_bytes()),
                                          .first = first_use.at(key),
                                          .last = last_use.at(key),
                                          .step = i,
                                          .shape = output.storage().type().shape});
            }
            workspace_block_.push_back(layout_.blocks.size());
            const kernels::Step& step = *layout_.schedule.steps[i];
            layout_.blocks.push_back({.name = "workspace of " + std::string(groups()[i].op()),
                                      .bytes = aligned(step.workspace_bytes),
                                      .first = span[i].first,
                                      .last = span[i].second,
                                      .step = i,
                                      .is_workspace = true});
            layout_.scratch_bytes = std::max(layout_.scratch_bytes, aligned(step.scratch_bytes));
        }
    }

    /// A result that is written over an operand has the operand's place from then on.
    void hand_over() {
        heir_.assign(layout_.blocks.size(), kNone);
        for (const HandOver& over : find_hand_overs(layout_.schedule)) {
            const Group& group = groups()[over.step];
            const size_t from = value_block_.at(key_of(group.inputs[over.input].storage()));
            const size_t to = value_block_.at(key_of(group.outputs[over.output].value));
            heir_[from] = to;
            layout_.blocks[from].is_handed_on = true;
            layout_.blocks[from].last = layout_.blocks[to].first - 1;
        }
    }

    /// The block has its place to itself: what is in it lasts from run to run.
    void keep_block(size_t block) {
        layout_.blocks[block].first = 0;
        layout_.blocks[block].last = layout_.schedule.segments.size();
        layout_.blocks[block].is_kept = true;
    }

    /// A plan that is run again and again for one picture has memory to spare and no time; a training has neither.
    void assign_offsets() {
        const bool inference = !layout_.schedule.kept.empty();
        // Blocks that are handed on are placed as one.
        std::vector<size_t> firsts;
        std::vector<ArenaBlock> joined;
        for (size_t i = 0; i < layout_.blocks.size(); ++i) {
            if (std::find(heir_.begin(), heir_.end(), i) != heir_.end()) continue;
            firsts.push_back(i);
            joined.push_back(layout_.blocks[i]);
            for (size_t heir = heir_[i]; heir != kNone; heir = heir_[heir])
                joined.back().last = layout_.blocks[heir].last;
        }
        layout_.arena_bytes = inference ? arrange_by_lanes(joined) : arrange_tightly(joined);
        for (size_t i = 0; i < firsts.size(); ++i)
            for (size_t block = firsts[i]; block != kNone; block = heir_[block])
                layout_.blocks[block].offset = joined[i].offset;
        for (size_t segment = 0; segment < layout_.schedule.segments.size(); ++segment) {
            size_t live = 0;
            for (const ArenaBlock& block : layout_.blocks)
                if (block.first <= segment && segment <= block.last) live += block.bytes;
            layout_.lower_bound = std::max(layout_.lower_bound, live);
        }
    }

    void sum_repeated() {
        double all = 0, repeated = 0;
        for (const Group& group : groups()) {
            all += group.flops;
            if (group.is_repeated) repeated += group.flops;
            for (const GroupOperand& output : group.outputs)
                if (output.value.node->is_repeated) layout_.repeated_bytes += output.storage_bytes();
        }
        layout_.repeated = all > 0 ? repeated / all : 0;
    }

    static Place shifted(Place place, const GroupOperand& operand) {
        place.shift += static_cast<size_t>(operand.offset) * size_of(operand.dtype());
        return place;
    }

    Place place_of(const Value& value) {
        const ValueKey key = key_of(value);
        if (const auto found = places_.find(key); found != places_.end()) return found->second;
        if (const auto found = value_block_.find(key); found != value_block_.end())
            return {.kind = Place::Kind::arena, .offset = layout_.blocks[found->second].offset};
        if (is_constant(value)) return places_[key] = number_place(value);
        throw Error("allocate", "nobody computes " + describe(*value.node));
    }

    void bind_operands() {
        for (size_t i = 0; i < groups().size(); ++i) {
            layout_.inputs.emplace_back();
            layout_.outputs.emplace_back();
            for (const GroupOperand& input : groups()[i].inputs) layout_.inputs.back().push_back(input_place(input));
            for (const GroupOperand& output : groups()[i].outputs)
                layout_.outputs.back().push_back(shifted(place_of(output.storage()), output));
            layout_.workspace.push_back(layout_.blocks[workspace_block_[i]].offset);
        }
        for (const auto& [root, value] : copied_) layout_.copies.emplace_back(root, place_of(value));
    }

    static bool is_constant(const Value& value) {
        return !value.node->is_leaf() && value.node->operation == &operation<ops::Constant>();
    }

    /// The one number of a constant, in the plan's own memory.
    Place number_place(const Value& constant) {
        layout_.constants.push_back(constant.node->as<ops::Constant>().value);
        return {.kind = Place::Kind::constant, .offset = layout_.constants.size() - 1};
    }

    /// A step that reads a constant as a scalar reads its number, even when (it may be the very step that does so) the
    /// constant is also written out in full.
    Place input_place(const GroupOperand& input) {
        const bool as_number = is_constant(input.value) && input.shape.rank() == 0;
        return as_number ? number_place(input.value) : shifted(place_of(input.storage()), input);
    }

    Layout layout_;
    std::map<ValueKey, Place> places_;
    std::map<ValueKey, size_t> value_block_;
    std::vector<size_t> workspace_block_;
    std::vector<size_t> heir_;  ///< by block: that of the result which is written over it
    std::vector<std::pair<size_t, Value>> copied_;
};

}  // namespace

Layout allocate(Schedule schedule) { return Allocator(std::move(schedule)).run(); }

std::string Layout::str() const {
    std::ostringstream out;
    const auto mib = [](size_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); };
    out << std::fixed << std::setprecision(2) << "arena " << mib(arena_bytes) << " MiB, largest live set "
        << mib(lower_bound) << " MiB, scratch " << mib(scratch_bytes) << " MiB a thread\n";
    if (repeated_bytes > 0) out << mib(repeated_bytes) << " MiB of maps are made again in the backward pass\n";
    for (const ArenaBlock& block : blocks) {
        if (block.bytes == 0) continue;
        out << "  " << std::setw(10) << mib(block.offset) << " + " << std::setw(9) << mib(block.bytes)
            << " MiB   segments " << block.first << " to " << block.last << "   " << block.name << '\n';
    }
    return out.str();
}

}  // namespace liven::detail
