#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "liven/metrics/measure.hpp"
#include "liven/metrics/pad.hpp"
#include "liven/protocol/cell.hpp"
#include "liven/protocol/plan.hpp"

namespace liven::protocol {

/// Which attacks of a test set count, by their type; bona fide samples always do.
enum class Attacks : uint8_t { all, trained_on, not_trained_on };

/// Everything that tables ask of one model on one set, at the threshold from its own validation samples. Attack is the
/// positive class.
struct Judged {
    Measure threshold, accuracy, precision, recall, f1, roc_auc, pr_auc, apcer, bpcer, acer, eer, hter, mcc, kappa,
        loss, true_positives, true_negatives, false_positives, false_negatives;

    /// All of it has no value, for this reason.
    static Judged undefined(const std::string& reason);
};

/// The finished cells of a plan, looked up by what they are about.
class Results {
public:
    /// Reads them. Throws Error when one is of other settings or data.
    Results(const ProtocolSettings& settings, const Plan& plan);

    const ProtocolSettings& settings() const { return settings_; }
    const Plan& plan() const { return plan_; }

    /// Seeds and folds of one model and source, in the plan's order.
    std::vector<const Cell*> repetitions(const std::string& model, const std::string& source) const;
    /// The sources of a kind, each once, in the plan's order.
    std::vector<Source> sources(SourceKind kind) const;
    /// Nothing when the cell is not finished.
    const CellResult* result(const Cell& cell) const;
    /// Computed once; undefined when the cell is not finished or was not tested on that set.
    const Judged& judged(const Cell& cell, const std::string& target, Attacks attacks = Attacks::all) const;
    /// One value a repetition.
    std::vector<Measure> measures(const std::string& model, const std::string& source, const std::string& target,
                                  Measure Judged::*measure, Attacks attacks = Attacks::all) const;
    /// The samples of a target that count.
    ScoredSamples samples(const Cell& cell, const std::string& target, Attacks attacks) const;
    /// Its decision threshold.
    Measure threshold(const Cell& cell) const;

private:
    Judged judge(const Cell& cell, const std::string& target, Attacks attacks) const;

    const ProtocolSettings& settings_;
    const Plan& plan_;
    std::map<std::string, CellResult> finished_;
    mutable std::map<std::string, Judged> judged_;
};

/// The mean over sets (one list of repetitions each) repetition by repetition; undefined where one is.
std::vector<Measure> averages(const std::vector<std::vector<Measure>>& of_sets);

}  // namespace liven::protocol
