#include "combine.hpp"

#include <string>

#include "liven/data/select.hpp"

namespace liven::protocol {

data::Dataset equally_represented(std::span<const data::Dataset> sets, uint64_t seed) {
    data::Dataset out{.name = "combined"};
    for (const auto split : {data::Split::train, data::Split::val, data::Split::test}) {
        data::Dataset all, sources;
        for (size_t i = 0; i < sets.size(); ++i)
            for (const data::Sample& sample : sets[i].only(split).samples) {
                all.samples.push_back(sample);
                sources.samples.push_back(sample);
                sources.samples.back().dataset = std::to_string(i);  // one source, whatever parts it has
            }
        if (all.samples.empty()) continue;
        data::Selection selection = data::equal_sources(sources, seed);
        for (const size_t kept : selection.kept) out.samples.push_back(all.samples[kept]);
        for (std::string& warning : selection.warnings) out.warnings.push_back(std::move(warning));
    }
    return out;
}

}  // namespace liven::protocol
