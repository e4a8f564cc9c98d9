#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "liven/core/philox.hpp"
#include "liven/data/dataset.hpp"
#include "liven/data/split.hpp"

/// Samples that show one person, or come from one recording: what is divided and chosen as a whole.
namespace liven::data {

/// Names of identities and videos; those of two data sets are different even when spelt alike.
class GroupNames {
public:
    explicit GroupNames(const Dataset& dataset) {
        std::set<std::string> sets;
        for (const Sample& s : dataset.samples) sets.insert(s.dataset);
        several_ = sets.size() > 1;
    }
    std::string identity(const Sample& s, const std::string& who) const { return "subject " + prefix(s) + who; }
    std::string video(const Sample& s) const {
        return "video " + prefix(s) + (s.subject.empty() ? "" : s.subject + ", ") + s.video;
    }

private:
    std::string prefix(const Sample& s) const { return several_ ? s.dataset + '/' : std::string(); }
    bool several_ = false;
};

/// Samples that must stay together, each list ascending, lists in order of their first sample.
std::vector<std::vector<size_t>> groups_of(const Dataset& dataset, GroupBy by);

/// Draws whole groups until every stratum (data set, class, attack type) has about its share.
class Drawer {
public:
    Drawer(const Dataset& dataset, const std::vector<std::vector<size_t>>& groups);

    /// Takes about `share` of the samples of `open` groups out of it: the best of many random orders, at least one
    /// group, and `stay` or more stay.
    std::vector<size_t> take(std::vector<size_t>& open, double share, Random random, size_t stay = 1) const;

private:
    double change(size_t group, const std::vector<double>& have, const std::vector<double>& goal) const;
    std::pair<std::vector<size_t>, double> greedy(const std::vector<size_t>& order, const std::vector<double>& goal,
                                                  size_t stay) const;

    std::vector<std::vector<std::pair<size_t, double>>> counts_;
    size_t strata_ = 0;
};

}  // namespace liven::data
