#include "liven/data/select.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "liven/core/error.hpp"
#include "src/data/split/groups.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

using Indices = std::vector<size_t>;

/// The `count` of best quality, the earlier of equals.
void keep_best(const Dataset& dataset, Indices& of, size_t count) {
    if (of.size() <= count) return;
    const auto quality = [&](size_t i) { return dataset.samples[i].quality.value_or(0); };
    std::stable_sort(of.begin(), of.end(), [&](size_t a, size_t b) { return quality(a) > quality(b); });
    of.resize(count);
}

double median_of(std::vector<double> sizes) {
    std::sort(sizes.begin(), sizes.end());
    const size_t half = sizes.size() / 2;
    return sizes.size() % 2 == 1 ? sizes[half] : (sizes[half - 1] + sizes[half]) / 2;
}

/// Whole groups of one source, about `share` of its samples.
Indices drawn_groups(const Dataset& dataset, const Indices& of, double share, uint64_t seed, Selection& out) {
    Dataset source;
    for (size_t i : of) source.samples.push_back(dataset.samples[i]);
    const auto groups = groups_of(source, GroupBy::automatic);
    if (groups.size() < 2) {
        out.warnings.push_back("the source " + in_quotes(source.samples[0].dataset) +
                               " is one group and stays whole, although it is larger than the others");
        return of;
    }
    Indices open(groups.size()), kept;
    std::iota(open.begin(), open.end(), size_t{0});
    for (size_t g : Drawer(source, groups).take(open, share, Random(seed)))
        for (size_t i : groups[g]) kept.push_back(of[i]);
    return kept;
}

}  // namespace

Selection balance(const Dataset& dataset, double most) {
    if (!(most >= 0.5 && most <= 1)) throw Error("balance", "expected a share from 0.5 to 1, but got " + number(most));
    std::map<Split, std::array<Indices, 2>> parts;
    for (size_t i = 0; i < dataset.samples.size(); ++i)
        parts[dataset.samples[i].split][static_cast<size_t>(dataset.samples[i].label)].push_back(i);
    Selection out;
    for (auto& [split, classes] : parts) {
        const size_t smaller = std::min(classes[0].size(), classes[1].size());
        if (smaller == 0)
            out.warnings.push_back("one class alone cannot be balanced" +
                                   (split == Split::none ? std::string() : ": " + std::string(name_of(split))));
        // The most that the larger may have beside the smaller; rounding must not lose one that just fits.
        const double larger = most == 1 ? 1e18 : static_cast<double>(smaller) * most / (1 - most);
        for (Indices& of : classes) {
            if (smaller > 0) keep_best(dataset, of, static_cast<size_t>(std::floor(larger + 1e-9)));
            out.kept.insert(out.kept.end(), of.begin(), of.end());
        }
    }
    std::sort(out.kept.begin(), out.kept.end());
    return out;
}

Selection equal_sources(const Dataset& dataset, uint64_t seed) {
    std::map<std::string, Indices> sources;
    for (size_t i = 0; i < dataset.samples.size(); ++i) sources[dataset.samples[i].dataset].push_back(i);
    Selection out;
    if (sources.empty()) return out;
    if (sources.size() == 1) out.warnings.emplace_back("there is one source alone: nothing is to be made equal");
    std::vector<double> sizes;
    for (const auto& [name, of] : sources) sizes.push_back(static_cast<double>(of.size()));
    const double median = median_of(std::move(sizes));
    for (const auto& [name, of] : sources) {
        const auto size = static_cast<double>(of.size());
        const Indices kept = size > median ? drawn_groups(dataset, of, median / size, seed, out) : of;
        out.kept.insert(out.kept.end(), kept.begin(), kept.end());
    }
    std::sort(out.kept.begin(), out.kept.end());
    return out;
}

}  // namespace liven::data
