#include <iterator>
#include <set>

#include "liven/core/error.hpp"
#include "liven/data/prepare.hpp"

namespace liven::data {
namespace {

std::string unused_name(const std::string& wanted, const std::set<std::string>& taken) {
    std::string name = wanted;
    for (int i = 2; taken.count(name); ++i) name = wanted + '-' + std::to_string(i);
    return name;
}

}  // namespace

Dataset merged(std::vector<Dataset> sets) {
    if (sets.empty()) throw Error("prepare", "expected a set");
    if (sets.size() == 1) return std::move(sets[0]);
    Dataset out{.name = "combined", .samples = {}, .skipped = {}, .warnings = {}};
    std::set<std::string> taken;
    for (Dataset& set : sets) {
        // Names that two sets have in common would make two people of one name one person.
        std::map<std::string, std::string> names;
        for (Sample& s : set.samples) {
            const std::string own = s.dataset.empty() ? set.name : s.dataset;
            const auto [it, fresh] = names.try_emplace(own);
            if (fresh) it->second = unused_name(own, taken);
            s.dataset = it->second;
        }
        for (const auto& [own, name] : names) taken.insert(name);
        std::move(set.samples.begin(), set.samples.end(), std::back_inserter(out.samples));
        std::move(set.skipped.begin(), set.skipped.end(), std::back_inserter(out.skipped));
        std::move(set.warnings.begin(), set.warnings.end(), std::back_inserter(out.warnings));
    }
    return out;
}

}  // namespace liven::data
