#include "segments.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "liven/core/error.hpp"

namespace liven::detail {
namespace {

constexpr size_t kNever = static_cast<size_t>(-1);
constexpr double kLightBytes = 1 << 20;  // a stage that touches no more is put beside others

using Stage = kernels::Step::Stage;

class SegmentBuilder {
public:
    SegmentBuilder(Schedule& schedule, const Flow& flow)
        : schedule_(schedule), flow_(flow), groups_(schedule.fused.groups) {
        for (size_t g = 0; g < groups_.size(); ++g) placed_.emplace_back(stages(g).size(), kNever);
        next_.resize(groups_.size(), 0);
        collect_makers();
        find_late();
    }

    void run() {
        while (open_next()) {
        }
        require_all_placed();
        drop_empty();
        for (Segment& segment : schedule_.segments) order(segment);
        find_spans();
    }

private:
    /// The stage of another group after which a value is complete.
    struct Maker {
        size_t group;
        size_t stage;
        bool by_samples;  ///< a sample of the reader needs only that sample
        bool by_rows;     ///< and rows of it are rows of the reader's, so that bands can follow each other
        bool operator==(const Maker& other) const { return group == other.group && stage == other.stage; }
        /// Of equal makers the one with the weakest claim comes first.
        bool operator<(const Maker& other) const {
            return std::tie(group, stage, by_rows) < std::tie(other.group, other.stage, other.by_rows);
        }
    };

    const std::vector<Stage>& stages(size_t group) const { return schedule_.steps[group]->stages; }
    bool finished(size_t group) const { return next_[group] == stages(group).size(); }
    bool walks(size_t group, size_t stage) const { return stages(group)[stage].samples > 1; }
    bool prepares(size_t group, size_t stage) const { return stages(group)[stage].reads >= 0; }

    void collect_makers() {
        makers_.resize(groups_.size());
        for (size_t g = 0; g < groups_.size(); ++g)
            for (const GroupOperand& input : groups_[g].inputs) {
                makers_[g].push_back(makers_of(input.value, input.shape));
                // A constant that is a result is copied to itself.
                std::erase_if(makers_[g].back(), [g](const Maker& maker) { return maker.group == g; });
            }
    }

    /// What makes much out of little for results alone can come last: until then its operands take the place of it. In
    /// a training step that clips by the norm over all gradients they would otherwise lie there for most of it.
    void find_late() {
        std::set<ValueKey> roots;
        for (const Graph::Root& root : schedule_.fused.graph.roots) roots.insert(key_of(storage_of(root.value)));
        const auto is_root = [&](const GroupOperand& output) { return roots.contains(key_of(output.value)); };
        std::vector<bool> leads_on(groups_.size(), false);  // to a step whose result is not the plan's
        late_.resize(groups_.size(), false);
        for (size_t g = groups_.size(); g-- > 0;) {
            bool ends = true;
            for (const GroupOperand& output : groups_[g].outputs)
                if (const auto found = flow_.readers.find(key_of(output.value)); found != flow_.readers.end())
                    for (size_t reader : found->second) ends = ends && !leads_on[reader];
            const bool writes_results = std::all_of(groups_[g].outputs.begin(), groups_[g].outputs.end(), is_root);
            late_[g] = ends && !writes_results && groups_[g].core && expands(groups_[g]);
            leads_on[g] = !ends || (groups_[g].core && !writes_results);
        }
    }

    /// A concatenation whose parts are in their places has no stage: its parts' makers count.
    std::vector<Maker> makers_of(const Value& value, const Shape& seen) const {
        const auto found = flow_.maker.find(key_of(value));
        if (found == flow_.maker.end()) return {};
        const size_t group = found->second;
        if (!stages(group).empty()) {
            const size_t stage = completing_stage(group, value);
            const int64_t samples = stages(group)[stage].samples;
            const bool by_samples =
                seen.rank() >= 3 && seen[0] == samples && value.shape().rank() > 0 && value.shape()[0] == samples;
            const bool by_rows = by_samples && seen == value.shape() && seen.rank() == 4 && seen[1] > 1;
            return {{group, stage, by_samples, by_rows}};
        }
        std::vector<Maker> all;
        for (const GroupOperand& input : groups_[group].inputs)
            for (const Maker& maker : makers_of(input.value, seen)) all.push_back(maker);
        return all;
    }

    size_t completing_stage(size_t group, const Value& value) const {
        const auto& all = stages(group);
        const Group& g = groups_[group];
        for (size_t i = 0; i < g.outputs.size(); ++i) {
            if (key_of(g.outputs[i].value) != key_of(value)) continue;
            if (g.is_reduction(i)) return all.size() - 1;
        }
        for (size_t stage = 0; stage < all.size(); ++stage)
            if (all[stage].completes_maps) return stage;
        return all.size() - 1;
    }

    std::vector<Maker> makers_for(size_t group, size_t stage) const {
        std::vector<Maker> all;
        const int only = stages(group)[stage].reads;
        for (size_t input = 0; input < makers_[group].size(); ++input)
            if (only < 0 || static_cast<int>(input) == only)
                all.insert(all.end(), makers_[group][input].begin(), makers_[group][input].end());
        return all;
    }

    bool all_done(size_t group, size_t before) const {
        return std::all_of(placed_[group].begin(), placed_[group].end(), [&](size_t s) { return s < before; });
    }
    bool writers_wait(size_t group, size_t before) const {
        const auto& earlier = flow_.after[group];
        return std::all_of(earlier.begin(), earlier.end(), [&](size_t other) { return all_done(other, before); });
    }
    /// Whether everything the stage needs stands in segments before this one.
    bool ready(size_t group, size_t stage, size_t segment) const {
        if (stage > 0 && placed_[group][stage - 1] >= segment) return false;
        return writers_wait(group, segment) && operands_stand(group, stage, segment);
    }
    /// Whether all that the stage reads is made in segments before this one.
    bool operands_stand(size_t group, size_t stage, size_t segment) const {
        const std::vector<Maker> makers = makers_for(group, stage);
        return std::all_of(makers.begin(), makers.end(),
                           [&](const Maker& maker) { return placed_[maker.group][maker.stage] < segment; });
    }

    /// Groups that wait for each other in a circle would otherwise be left out without a word.
    void require_all_placed() const {
        for (size_t g = 0; g < groups_.size(); ++g)
            if (!finished(g))
                throw Error("schedule", "the step '" + groups_[g].str() + "' waits for a step that waits for it",
                            "a fault of Liven itself: please report the model");
    }

    void place(size_t group, size_t stage, size_t segment) {
        placed_[group][stage] = segment;
        next_[group] = stage + 1;
        schedule_.segments[segment].stages.push_back({group, static_cast<int>(stage)});
    }
    size_t new_segment(int64_t samples) {
        schedule_.segments.push_back({.stages = {}, .units = {}, .samples = samples, .links = {}, .items = {}});
        return schedule_.segments.size() - 1;
    }

    /// Which group opens the next segment: what makes little out of much, else the first in the order of groups that
    /// need not come late.
    size_t choose_opener() const {
        size_t first = kNever;
        const size_t now = schedule_.segments.size();
        for (size_t g = 0; g < groups_.size(); ++g) {
            if (finished(g) || !ready_but_for_weights(g, now)) continue;
            if (reduces(groups_[g])) return g;
            if (first == kNever || (waits_for_the_end(first) && !waits_for_the_end(g))) first = g;
        }
        return first;
    }
    bool ready_but_for_weights(size_t group, size_t segment) const {
        const size_t stage = next_[group];
        return ready(group, stage, segment) && (!prepares(group, stage) || operands_stand(group, stage + 1, segment));
    }
    static bool reduces(const Group& group) {
        double in = 0, out = 0;
        for (const GroupOperand& input : group.inputs) in += static_cast<double>(input.shape.count());
        for (const GroupOperand& output : group.outputs) out += static_cast<double>(output.shape.count());
        return 8 * out < in;
    }
    bool waits_for_the_end(size_t group) const { return late_[group] && next_[group] == 0; }
    static bool expands(const Group& group) {
        double in = 0, out = 0;
        for (const GroupOperand& input : group.inputs)
            if (!input.storage().node->is_leaf()) in += static_cast<double>(input.storage_bytes());
        for (const GroupOperand& output : group.outputs) out += static_cast<double>(output.storage_bytes());
        return 2 * out > 3 * in;
    }

    bool open_next() {
        const size_t opener = choose_opener();
        if (opener == kNever) return false;
        const size_t preparation = new_segment(1);
        if (prepares(opener, next_[opener])) place(opener, next_[opener], preparation);
        const int64_t samples = stages(opener)[next_[opener]].samples;
        const size_t segment = new_segment(samples);
        if (samples > 1) {
            touched_.clear();
            join(opener, segment);
            bool joined = true;
            while (joined) {
                joined = false;
                for (size_t g = 0; g < groups_.size(); ++g) joined = try_join(g, segment) || joined;
            }
        } else {
            place(opener, next_[opener], segment);
        }
        Segment& made = schedule_.segments[segment];
        if (made.stages.size() == 1 && (samples == 1 || groups_[opener].bytes <= kLightBytes)) {
            made.samples = 1;
            add_light(segment);
        }
        return true;
    }

    void join(size_t group, size_t segment) {
        place(group, next_[group], segment);
        for (const GroupOperand& input : groups_[group].inputs) touched_.insert(key_of(input.storage()));
        for (const GroupOperand& output : groups_[group].outputs) touched_.insert(key_of(output.storage()));
    }

    bool try_join(size_t group, size_t segment) {
        if (finished(group) || waits_for_the_end(group) || !near(group)) return false;
        const size_t preparation = segment - 1;
        size_t stage = next_[group];
        const bool packs = prepares(group, stage);
        if (packs && !ready(group, stage, preparation)) return false;
        if (packs) ++stage;
        if (stages(group)[stage].samples != schedule_.segments[segment].samples) return false;
        if (!packs && stage > 0 && !follows({group, stage - 1, true, false}, segment)) return false;
        const std::vector<Maker> makers = makers_for(group, stage);
        if (!writers_wait(group, preparation) ||
            !std::all_of(makers.begin(), makers.end(), [&](const Maker& maker) { return follows(maker, segment); }))
            return false;
        if (packs) place(group, stage - 1, preparation);
        join(group, segment);
        return true;
    }
    /// Whether a stage of this segment may read what the maker makes.
    bool follows(const Maker& maker, size_t segment) const {
        const size_t at = placed_[maker.group][maker.stage];
        return at < segment || (at == segment && walks(maker.group, maker.stage) && maker.by_samples);
    }
    /// Whether it reads what a stage of the segment reads or writes.
    bool near(size_t group) const {
        return std::any_of(groups_[group].inputs.begin(), groups_[group].inputs.end(),
                           [&](const GroupOperand& input) { return touched_.contains(key_of(input.storage())); });
    }

    /// Stages beside each other in one segment are independent.
    void add_light(size_t segment) {
        for (size_t g = 0; g < groups_.size(); ++g) {
            if (finished(g) || waits_for_the_end(g) || !ready(g, next_[g], segment)) continue;
            const Stage& stage = stages(g)[next_[g]];
            const bool rest = next_[g] > 0 && stage.samples == 1 && stage.reads < 0;
            if (rest || groups_[g].bytes <= kLightBytes) place(g, next_[g], segment);
        }
    }

    void drop_empty() {
        std::vector<size_t> place(schedule_.segments.size());
        std::vector<Segment> kept;
        for (size_t s = 0; s < schedule_.segments.size(); ++s) {
            place[s] = kept.size();
            if (!schedule_.segments[s].stages.empty()) kept.push_back(std::move(schedule_.segments[s]));
        }
        schedule_.segments = std::move(kept);
        for (auto& group : placed_)
            for (size_t& segment : group) segment = place[segment];
    }

    void order(Segment& segment) const {
        std::vector<const Stage*> all;
        for (const ScheduledStage& at : segment.stages) {
            all.push_back(&stages(at.step)[static_cast<size_t>(at.stage)]);
            segment.units.push_back(all.back()->units);
        }
        if (segment.samples > 1)
            for (size_t i = 0; i < all.size(); ++i) add_links(segment, i, all);
        segment.items = order_walk(all, segment.links, segment.samples);
    }
    void add_links(Segment& segment, size_t reader, const std::vector<const Stage*>& all) const {
        const ScheduledStage& at = segment.stages[reader];
        std::vector<Maker> makers = makers_for(at.step, static_cast<size_t>(at.stage));
        if (at.stage > 0) makers.push_back({at.step, static_cast<size_t>(at.stage) - 1, true, false});
        std::sort(makers.begin(), makers.end());
        makers.erase(std::unique(makers.begin(), makers.end()), makers.end());
        for (size_t before = 0; before < segment.stages.size(); ++before)
            for (const Maker& maker : makers)
                if (segment.stages[before].step == maker.group &&
                    segment.stages[before].stage == static_cast<int>(maker.stage)) {
                    segment.links.push_back(link_stages(static_cast<uint32_t>(reader), *all[reader],
                                                        static_cast<uint32_t>(before), *all[before], maker.by_rows));
                }
    }

    /// A step without stages has its parts' makers to thank: it ends where they do.
    void find_spans() {
        for (size_t g = 0; g < groups_.size(); ++g) {
            const auto& mine = placed_[g];
            if (!mine.empty()) {
                schedule_.span.emplace_back(mine.front(), mine.back());
                continue;
            }
            size_t last = 0;
            for (const auto& makers : makers_[g])
                for (const Maker& maker : makers) last = std::max(last, placed_[maker.group][maker.stage]);
            schedule_.span.emplace_back(last, last);
        }
    }

    Schedule& schedule_;
    const Flow& flow_;
    const std::vector<Group>& groups_;
    std::vector<std::vector<size_t>> placed_;              ///< by group and stage: its segment
    std::vector<size_t> next_;                             ///< by group: the first stage without a segment
    std::vector<std::vector<std::vector<Maker>>> makers_;  ///< by group and input
    std::vector<bool> late_;      ///< by group: joins no segment, and opens one when no other can
    std::set<ValueKey> touched_;  ///< by the open segment
};

}  // namespace

Flow::Flow(const std::vector<Group>& groups) : after(groups.size()) {
    for (size_t i = 0; i < groups.size(); ++i) {
        for (const GroupOperand& output : groups[i].outputs) maker[key_of(output.value)] = i;
        for (const GroupOperand& input : groups[i].inputs) readers[key_of(input.value)].push_back(i);
    }
    for (size_t i = 0; i < groups.size(); ++i)
        for (const Value& value : groups[i].waits)
            if (const auto found = maker.find(key_of(value)); found != maker.end()) after[i].push_back(found->second);
}

bool Flow::waits(const std::vector<Group>& groups, size_t from, size_t to) const {
    std::vector<size_t> pending{from};
    std::vector<bool> seen(groups.size(), false);
    while (!pending.empty()) {
        const size_t group = pending.back();
        pending.pop_back();
        if (group == to) return true;
        if (seen[group]) continue;
        seen[group] = true;
        for (const GroupOperand& input : groups[group].inputs)
            if (const auto found = maker.find(key_of(input.value)); found != maker.end())
                pending.push_back(found->second);
        pending.insert(pending.end(), after[group].begin(), after[group].end());
    }
    return false;
}

void form_segments(Schedule& schedule, const Flow& flow) { SegmentBuilder(schedule, flow).run(); }

}  // namespace liven::detail
