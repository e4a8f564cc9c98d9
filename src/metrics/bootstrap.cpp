#include "liven/metrics/bootstrap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"

namespace liven {
namespace {

void require_one_each(std::string_view where, const char* what, const ScoredSamples& samples, size_t count) {
    check(samples);
    if (samples.size() != count)
        throw Error(where, std::string("expected ") + what + " for each of " + std::to_string(samples.size()) +
                               " samples, got " + std::to_string(count));
}

const std::string& attack_type(const ScoredSamples& samples, size_t i) {
    static const std::string none;
    return samples.attack_types.empty() ? none : samples.attack_types[i];
}

void append(ScoredSamples& out, const ScoredSamples& from, size_t i) {
    out.scores.push_back(from.scores[i]);
    out.labels.push_back(from.labels[i]);
    if (!from.attack_types.empty()) out.attack_types.push_back(from.attack_types[i]);
}

/// The samples of each group; groups by what they hold: bona fide samples, attacks, both.
class Groups {
public:
    Groups(const ScoredSamples& samples, std::span<const std::string> groups) {
        std::map<std::string_view, size_t> known;
        for (size_t i = 0; i < groups.size(); ++i) {
            const auto [it, fresh] = known.try_emplace(groups[i], members_.size());
            if (fresh) members_.emplace_back();
            members_[it->second].push_back(i);
        }
        for (const std::vector<size_t>& members : members_) {
            size_t holds = 0;
            for (size_t i : members) holds |= samples.labels[i] == bonafide_class ? 1 : 2;
            strata_[holds - 1].push_back(&members);
        }
        if (holding(0) == 1 || holding(1) == 1) class_in_one_ = true;
        // One group of its kind would be in every resample: then all are drawn together.
        if (std::any_of(strata_.begin(), strata_.end(), [](const auto& stratum) { return stratum.size() == 1; }))
            for (const size_t kind : {size_t{0}, size_t{1}}) {
                strata_[2].insert(strata_[2].end(), strata_[kind].begin(), strata_[kind].end());
                strata_[kind].clear();
            }
    }
    size_t size() const { return members_.size(); }
    /// A class that one group holds alone varies with nothing.
    bool class_in_one() const { return class_in_one_; }

    ScoredSamples draw(const ScoredSamples& samples, Random& random) const {
        ScoredSamples out;
        for (const auto& stratum : strata_)
            for (size_t k = 0; k < stratum.size(); ++k) {
                const auto which = static_cast<size_t>(random.below(stratum.size()));
                for (size_t i : *stratum[which]) append(out, samples, i);
            }
        return out;
    }

private:
    /// Groups with samples of a class.
    size_t holding(size_t kind) const { return strata_[kind].size() + strata_[2].size(); }

    std::vector<std::vector<size_t>> members_;
    std::array<std::vector<const std::vector<size_t>*>, 3> strata_;
    bool class_in_one_ = false;
};

/// Between the neighbours, in proportion.
double quantile(const std::vector<double>& sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

UnitScores mean_by_unit(const ScoredSamples& samples, std::span<const std::string> units) {
    require_one_each("mean_by_unit", "a unit", samples, units.size());
    UnitScores out;
    std::map<std::tuple<std::string, int32_t, std::string>, size_t> known;
    std::vector<double> counts;
    for (size_t i = 0; i < samples.size(); ++i) {
        const auto [it, fresh] =
            known.try_emplace({units[i], samples.labels[i], attack_type(samples, i)}, out.units.size());
        if (fresh) {
            append(out.samples, samples, i);
            out.units.push_back(units[i]);
            counts.push_back(1);
        } else {
            out.samples.scores[it->second] += samples.scores[i];
            ++counts[it->second];
        }
    }
    for (size_t i = 0; i < counts.size(); ++i) out.samples.scores[i] /= counts[i];
    return out;
}

Interval bootstrap_interval(const ScoredSamples& samples, std::span<const std::string> groups,
                            const std::function<Measure(const ScoredSamples&)>& measure,
                            const BootstrapOptions& options) {
    require_one_each("bootstrap", "a group", samples, groups.size());
    if (options.resamples < 2 || options.resamples > 10'000'000)
        throw Error("bootstrap", "expected 2 to 10000000 resamples, got " + std::to_string(options.resamples));
    if (!(options.level > 0 && options.level < 1))
        throw Error("bootstrap", "expected a level between 0 and 1, got " + std::to_string(options.level));
    const Groups drawn(samples, groups);
    const auto undefined = [&](const char* reason) {
        return Interval{.low = Measure::undefined(reason), .high = Measure::undefined(reason), .level = options.level};
    };
    if (drawn.size() < 2) return undefined("less than two groups");
    if (drawn.class_in_one()) return undefined("one group holds a class alone");
    std::vector<double> values;
    for (int64_t i = 0; i < options.resamples; ++i) {
        Random random(options.seed, static_cast<uint64_t>(i));  // each resample its own: any part can be repeated
        if (const Measure value = measure(drawn.draw(samples, random))) values.push_back(value.value());
    }
    const auto missing = options.resamples - static_cast<int64_t>(values.size());
    if (2 * missing >= options.resamples) return undefined("the measure has no value on most resamples");
    std::sort(values.begin(), values.end());
    const double tail = (1 - options.level) / 2;
    return {.low = quantile(values, tail),
            .high = quantile(values, 1 - tail),
            .level = options.level,
            .undefined = missing};
}

std::string Interval::str(int decimals) const {
    if (!low) return low.str(decimals);
    return "[" + low.str(decimals) + ", " + high.str(decimals) + "]";
}

}  // namespace liven
