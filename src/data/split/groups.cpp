#include "src/data/split/groups.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "liven/data/video.hpp"

namespace liven::data {
namespace {

class UnionFind {
public:
    explicit UnionFind(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }
    size_t find(size_t i) {
        while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
        return i;
    }
    void join(size_t a, size_t b) { parent_[find(a)] = find(b); }

private:
    std::vector<size_t> parent_;
};

/// The video file that a sample's frame is in: a recording that needs no column to be known.
std::string file_of(const Sample& sample) { return "file " + sample.path.lexically_normal().string(); }

double miss(double have, double goal) { return (have - goal) * (have - goal) / std::max(goal, 1.0); }

}  // namespace

std::vector<std::vector<size_t>> groups_of(const Dataset& dataset, GroupBy by) {
    const GroupNames names(dataset);
    UnionFind sets(dataset.samples.size());
    std::unordered_map<std::string, size_t> first;
    const auto tie = [&](size_t i, const std::string& name) { sets.join(i, first.try_emplace(name, i).first->second); };
    for (size_t i = 0; i < dataset.samples.size(); ++i) {
        const Sample& s = dataset.samples[i];
        if (by == GroupBy::automatic || by == GroupBy::subject) {
            if (!s.subject.empty()) tie(i, names.identity(s, s.subject));
            if (!s.target.empty()) tie(i, names.identity(s, s.target));
        }
        if (by != GroupBy::image && !s.video.empty()) tie(i, names.video(s));
        if (by != GroupBy::image && is_video(s.path)) tie(i, file_of(s));
    }
    std::map<size_t, size_t> order;
    std::vector<std::vector<size_t>> groups;
    for (size_t i = 0; i < dataset.samples.size(); ++i) {
        const auto [it, fresh] = order.try_emplace(sets.find(i), groups.size());
        if (fresh) groups.emplace_back();
        groups[it->second].push_back(i);
    }
    return groups;
}

Drawer::Drawer(const Dataset& dataset, const std::vector<std::vector<size_t>>& groups) {
    std::map<std::string, size_t> strata;
    for (const auto& group : groups) {
        std::map<size_t, double> counts;
        for (size_t i : group) {
            const Sample& s = dataset.samples[i];
            const std::string key = s.dataset + '\n' + std::string(name_of(s.label)) + '\n' + s.attack_type;
            counts[strata.try_emplace(key, strata.size()).first->second] += 1;
        }
        counts_.emplace_back(counts.begin(), counts.end());
    }
    strata_ = strata.size();
}

std::vector<size_t> Drawer::take(std::vector<size_t>& open, double share, Random random, size_t stay) const {
    std::vector<double> goal(strata_, 0);
    for (size_t g : open)
        for (const auto& [stratum, count] : counts_[g]) goal[stratum] += share * count;
    const size_t trials = std::clamp(size_t{2'000'000} / std::max(open.size(), size_t{1}), size_t{8}, size_t{200});
    std::vector<size_t> best;
    double best_cost = -1;
    for (size_t trial = 0; trial < trials; ++trial) {
        for (size_t i = open.size(); i > 1; --i) std::swap(open[i - 1], open[random.below(i)]);
        auto [taken, cost] = greedy(open, goal, stay);
        if (best_cost < 0 || cost < best_cost) {
            best = std::move(taken);
            best_cost = cost;
        }
    }
    std::sort(open.begin(), open.end());
    std::sort(best.begin(), best.end());
    std::vector<size_t> rest;
    std::set_difference(open.begin(), open.end(), best.begin(), best.end(), std::back_inserter(rest));
    open = std::move(rest);
    return best;
}

double Drawer::change(size_t group, const std::vector<double>& have, const std::vector<double>& goal) const {
    double delta = 0;
    for (const auto& [s, count] : counts_[group]) delta += miss(have[s] + count, goal[s]) - miss(have[s], goal[s]);
    return delta;
}

std::pair<std::vector<size_t>, double> Drawer::greedy(const std::vector<size_t>& order, const std::vector<double>& goal,
                                                      size_t stay) const {
    std::vector<double> have(strata_, 0);
    std::vector<size_t> taken;
    double cost = 0;
    for (size_t s = 0; s < strata_; ++s) cost += miss(0, goal[s]);
    const auto add = [&](size_t g, double delta) {
        for (const auto& [s, count] : counts_[g]) have[s] += count;
        cost += delta;
        taken.push_back(g);
    };
    for (size_t g : order) {
        if (taken.size() + stay >= order.size()) break;
        if (const double delta = change(g, have, goal); delta < 0) add(g, delta);
    }
    if (taken.empty()) {
        const size_t least = *std::min_element(order.begin(), order.end(), [&](size_t a, size_t b) {
            return change(a, have, goal) < change(b, have, goal);
        });
        add(least, change(least, have, goal));
    }
    return {std::move(taken), cost};
}

}  // namespace liven::data
