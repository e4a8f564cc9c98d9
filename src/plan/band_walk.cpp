#include "band_walk.hpp"

#include <algorithm>
#include <cmath>

namespace liven::detail {
namespace {

// So many items lie between a unit and the last one it waits for: what eight cores have in their hands.
constexpr size_t kLag = 8;

/// The walk through one sample.
class SampleWalk {
public:
    SampleWalk(const std::vector<const kernels::Step::Stage*>& stages, const std::vector<WalkLink>& links,
               int64_t samples, int64_t sample)
        : sample_(sample), placed_(stages.size()), links_(stages.size()) {
        for (const kernels::Step::Stage* stage : stages) per_sample_.push_back(stage->units / samples);
        for (const WalkLink& link : links) links_[link.stage].push_back(&link);
    }

    bool done() const { return left() == 0; }

    /// Puts the next unit of the deepest stage that can run `lag` places behind what it waits for; false: there is
    /// none.
    bool put_one(std::vector<WalkItem>& order, size_t lag) {
        for (size_t stage = placed_.size(); stage-- > 0;) {
            const auto unit = static_cast<int64_t>(placed_[stage].size());
            if (unit == per_sample_[stage] || !can_run(stage, unit, order.size(), lag)) continue;
            placed_[stage].push_back(order.size());
            order.push_back({static_cast<uint32_t>(stage), static_cast<uint32_t>(sample_ * per_sample_[stage] + unit)});
            return true;
        }
        return false;
    }

private:
    int64_t left() const {
        int64_t units = 0;
        for (size_t stage = 0; stage < placed_.size(); ++stage)
            units += per_sample_[stage] - static_cast<int64_t>(placed_[stage].size());
        return units;
    }

    bool can_run(size_t stage, int64_t unit, size_t place, size_t lag) const {
        return std::all_of(links_[stage].begin(), links_[stage].end(), [&](const WalkLink* link) {
            const uint32_t needed = link->units[static_cast<size_t>(unit)];
            const std::vector<size_t>& made = placed_[link->before];
            return needed == 0 || (made.size() >= needed && made[needed - 1] + lag < place + 1);
        });
    }

    int64_t sample_ = 0;
    std::vector<int64_t> per_sample_;
    std::vector<std::vector<size_t>> placed_;          ///< by stage: the places of its units in the order
    std::vector<std::vector<const WalkLink*>> links_;  ///< by stage: what it waits for
};

}  // namespace

WalkLink link_stages(uint32_t stage, const kernels::Step::Stage& reader, uint32_t before,
                     const kernels::Step::Stage& maker, bool in_bands) {
    const int64_t units = reader.units / reader.samples, made = maker.units / maker.samples;
    WalkLink link{.stage = stage, .before = before, .units = {}};
    for (int64_t unit = 0; unit < units; ++unit) {
        const double share = static_cast<double>(unit + 1) / static_cast<double>(units) + reader.reach;
        // Shares are ratios of small numbers: rounding is far below, a row far above a billionth.
        const auto needed = static_cast<int64_t>(std::ceil(share * static_cast<double>(made) - 1e-9));
        link.units.push_back(
            static_cast<uint32_t>(in_bands && maker.in_row_order ? std::clamp<int64_t>(needed, 0, made) : made));
    }
    return link;
}

std::vector<WalkItem> order_walk(const std::vector<const kernels::Step::Stage*>& stages,
                                 const std::vector<WalkLink>& links, int64_t samples) {
    std::vector<WalkItem> order;
    if (samples == 1) {
        for (size_t stage = 0; stage < stages.size(); ++stage)
            for (int64_t unit = 0; unit < stages[stage]->units; ++unit)
                order.push_back({static_cast<uint32_t>(stage), static_cast<uint32_t>(unit)});
        return order;
    }
    // The end of one sample overlaps the beginning of the next.
    std::vector<SampleWalk> walks;
    for (int64_t sample = 0; sample < samples; ++sample) walks.emplace_back(stages, links, samples, sample);
    for (size_t first = 0; first < walks.size();) {
        SampleWalk& walk = walks[first];
        if (walk.done()) {
            ++first;
            continue;
        }
        if (walk.put_one(order, kLag)) continue;
        if (first + 1 < walks.size() && walks[first + 1].put_one(order, kLag)) continue;
        walk.put_one(order, 1);
    }
    return order;
}

}  // namespace liven::detail
