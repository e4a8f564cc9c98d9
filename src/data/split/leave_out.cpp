#include <set>

#include "liven/core/error.hpp"
#include "liven/data/folds.hpp"
#include "src/data/text.hpp"

namespace liven::data {

std::vector<std::string> attack_types(const Dataset& dataset) {
    std::set<std::string> out;
    for (const Sample& s : dataset.samples)
        if (s.label == Label::attack) out.insert(s.attack_type);
    return {out.begin(), out.end()};
}

Dataset leave_attack_out(const Dataset& dataset, const std::string& type) {
    Dataset out{.name = dataset.name, .samples = {}, .skipped = dataset.skipped, .warnings = dataset.warnings};
    int64_t trained = 0, tested = 0;
    for (const Sample& s : dataset.samples) {
        const bool test = s.split == Split::test;
        if (s.label == Label::attack && (s.attack_type == type) != test) continue;
        if (s.label == Label::attack) ++(test ? tested : trained);
        out.samples.push_back(s);
    }
    if (trained == 0 || tested == 0) {
        std::string types;
        for (const std::string& name : attack_types(dataset)) types += (types.empty() ? "" : ", ") + in_quotes(name);
        throw Error("split",
                    "without the attack " + in_quotes(type) + " in training and the others in testing, no attack is " +
                        (tested == 0 ? "tested" : "trained on"),
                    types.empty() ? "there are no attacks" : "the attacks are " + types);
    }
    return out;
}

}  // namespace liven::data
