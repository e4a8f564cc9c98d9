#include "combine.hpp"

#include <algorithm>
#include <utility>

#include "liven/core/error.hpp"

namespace liven::protocol {
namespace {

double median_size(std::span<const data::Dataset> sets) {
    std::vector<double> sizes;
    for (const data::Dataset& set : sets) sizes.push_back(static_cast<double>(set.size()));
    std::sort(sizes.begin(), sizes.end());
    const size_t half = sizes.size() / 2;
    return sizes.size() % 2 == 1 ? sizes[half] : (sizes[half - 1] + sizes[half]) / 2;
}

/// About that share of one split, in whole groups: the division into a test set, of which that set is kept.
void append_share(data::Dataset& out, data::Dataset part, double share, data::SplitOptions options) {
    if (part.samples.empty()) return;
    const data::Split split = part.samples[0].split;
    for (data::Sample& sample : part.samples) sample.split = data::Split::none;
    options.test = share;
    options.validation = 0;
    try {
        assign_splits(part, options);
    } catch (const Error&) {
        for (data::Sample& sample : part.samples) sample.split = data::Split::test;  // one group cannot be divided
    }
    for (data::Sample& sample : part.samples) {
        if (sample.split != data::Split::test) continue;
        sample.split = split;
        out.samples.push_back(std::move(sample));
    }
}

}  // namespace

data::Dataset equally_represented(std::span<const data::Dataset> sets, const data::SplitOptions& options) {
    const double median = median_size(sets);
    data::Dataset out{.name = "combined"};
    for (const data::Dataset& set : sets) {
        const double share = median / static_cast<double>(set.size());
        for (const auto split : {data::Split::train, data::Split::val, data::Split::test}) {
            data::Dataset part = set.only(split);
            if (share < 1)
                append_share(out, std::move(part), share, options);
            else
                std::move(part.samples.begin(), part.samples.end(), std::back_inserter(out.samples));
        }
    }
    return out;
}

}  // namespace liven::protocol
