#include "differences.hpp"

#include <functional>
#include <set>

#include "published.hpp"

namespace liven::protocol {
namespace {

std::string listed(const std::set<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

/// What the trainings have for one setting.
template <class Of>
std::set<std::string> values_of(const Plan& plan, Of of) {
    std::set<std::string> values;
    for (const Cell& cell : plan.cells) values.insert(of(cell.settings));
    return values;
}

void add_unlike(std::vector<std::string>& out, const Plan& plan, const std::string& what, const std::string& paper,
                const std::function<std::string(const TrainSettings&)>& of) {
    const auto values = values_of(plan, of);
    if (values != std::set<std::string>{paper})
        out.push_back(what + ": " + listed(values) + "; the paper has " + paper + ".");
}

void add_recipes(std::vector<std::string>& out, const Plan& plan) {
    std::set<std::string> others;
    for (const Cell& cell : plan.cells)
        if (cell.settings.recipe.rfind("paper-k", 0) != 0) others.insert(cell.settings.recipe);
    if (!others.empty())
        out.push_back("Trained by the recipe " + listed(others) +
                      ", not by the paper's (recipe = \"paper-k\"), whose learning rates of 5e-9 to 1e-5 belong to "
                      "its own starting point.");
}

void add_sets(std::vector<std::string>& out, const ProtocolSettings& settings) {
    std::set<std::string> papers{"3dmad", "csmad", "msspoof", "replayattack", "ourdataset"}, others;
    for (const NamedData& set : settings.data)
        if (papers.erase(canonical(set.name)) == 0) others.insert(set.name);
    if (!others.empty()) out.push_back("Data sets that the paper does not have: " + listed(others) + ".");
    if (!papers.empty()) out.push_back("Data sets of the paper that are missing: " + listed(papers) + ".");
}

/// On which sides of a split subjects and videos lie, as far as the sets say.
std::string sides(const Plan& plan) {
    std::string torn;
    for (const SetSummary& set : plan.sets) {
        const auto add = [&](const std::string& why) { torn += (torn.empty() ? "" : "; ") + set.name + ": " + why; };
        if (!set.leak_reason.empty()) add("they lie on several (" + set.leak_reason + ")");
        if (set.ungrouped > 0) add(std::to_string(set.ungrouped) + " pictures were divided without knowing them");
    }
    if (torn.empty()) return "Subjects or videos lie on one side of a split.";
    return "Subjects or videos do not lie on one side of every split (" + torn + "): figures may be too good.";
}

}  // namespace

std::vector<std::string> remaining_differences(const ProtocolSettings& settings, const Plan& plan) {
    std::vector<std::string> out;
    add_sets(out, settings);
    add_recipes(out, plan);
    add_unlike(out, plan, "Pixels a side", "256", [](const TrainSettings& s) { return std::to_string(s.size); });
    add_unlike(out, plan, "Epochs", "20", [](const TrainSettings& s) { return std::to_string(s.epochs); });
    add_unlike(out, plan, "Augmentation", "paper-k", [](const TrainSettings& s) { return s.augmentation; });
    out.emplace_back("Seeds: " + std::to_string(settings.seeds.size()) + "; the paper has one, 42.");
    out.push_back(sides(plan) +
                  " The paper says that they lie on one, but its published code pools frames and divides them at "
                  "random, which makes within-set figures too good.");
    out.emplace_back("Training pictures are augmented anew every epoch; the published code augments each once.");
    out.emplace_back(
        "Pictures are used as the manifests name them: the paper's quality filter, enhancement and balancing are steps "
        "of preparing the data, before the protocol.");
    if (settings.questions.combined)
        out.emplace_back(
            "The combined set takes whole groups of larger sets until each weighs about as the median one; the paper "
            "drew 13,100 samples.");
    if (settings.threshold == ThresholdRule::equal_error_rate)
        out.emplace_back("Thresholds are those of equal error rate on validation, not of minimum ACER.");
    if (settings.folds > 0)
        out.emplace_back("Tested on " + std::to_string(settings.folds) +
                         " folds by group; the paper has one division.");
    return out;
}

}  // namespace liven::protocol
