#include "liven/data/assign_sources.hpp"

#include "liven/core/error.hpp"
#include "liven/data/file_owners.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

/// "oulu-npu/test": the source's name and its part, `none` for all of it.
std::pair<std::string, Split> source_part(const std::string& entry, const std::map<std::string, Dataset>& sources) {
    // A name may hold a slash itself.
    if (sources.count(entry)) return {entry, Split::none};
    const size_t slash = entry.rfind('/');
    const auto part = slash == std::string::npos ? std::nullopt : split_from(entry.substr(slash + 1));
    const std::string name = entry.substr(0, slash);
    if (part && sources.count(name)) return {name, *part};
    std::string names;
    for (const auto& [known, set] : sources) names += (names.empty() ? "" : ", ") + known;
    throw Error("split", "there is no source " + in_quotes(entry),
                "there are " + names + ", and parts like NAME/train");
}

class Assigner {
public:
    explicit Assigner(const std::map<std::string, Dataset>& sources) : sources_(sources) {
        for (const auto& [name, set] : sources) taken_[name].assign(set.samples.size(), false);
    }

    void assign(const std::string& entry, Split to) {
        const auto [name, part] = source_part(entry, sources_);
        const Dataset& set = sources_.at(name);
        std::vector<bool>& taken = taken_[name];
        int64_t found = 0;
        for (size_t i = 0; i < set.samples.size(); ++i) {
            if (part != Split::none && set.samples[i].split != part) continue;
            if (taken[i]) throw Error("split", in_quotes(entry) + " is assigned a second time, whole or in part");
            taken[i] = true;
            owners_.add(set.samples[i].path, name);
            Sample& s = out_.samples.emplace_back(set.samples[i]);
            if (s.dataset.empty()) s.dataset = name;
            s.split = to;
            ++found;
        }
        if (found == 0) throw Error("split", in_quotes(entry) + " has no samples");
    }

    Dataset take() {
        for (const auto& [name, taken] : taken_) {
            int64_t left = 0;
            for (const bool t : taken) left += !t;
            if (left > 0)
                out_.warnings.push_back(thousands(left) + " of " + thousands(static_cast<long long>(taken.size())) +
                                        " samples of " + name + " are assigned to no split and left out");
        }
        for (const auto& [name, set] : sources_)
            out_.warnings.insert(out_.warnings.end(), set.warnings.begin(), set.warnings.end());
        return std::move(out_);
    }

private:
    const std::map<std::string, Dataset>& sources_;
    std::map<std::string, std::vector<bool>> taken_;
    FileOwners owners_;
    Dataset out_{.name = "assigned", .samples = {}, .skipped = {}, .warnings = {}};
};

}  // namespace

Dataset assign_sources(const std::map<std::string, Dataset>& sources, const SourceAssignment& assignment) {
    Assigner assigner(sources);
    for (const auto& [entries, split] :
         {std::pair{&assignment.train, Split::train}, std::pair{&assignment.val, Split::val},
          std::pair{&assignment.test, Split::test}})
        for (const std::string& entry : *entries) assigner.assign(entry, split);
    Dataset out = assigner.take();
    if (out.samples.empty()) throw Error("split", "no source is assigned to a split");
    return out;
}

}  // namespace liven::data
