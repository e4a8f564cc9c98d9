#include "results.hpp"

#include <algorithm>
#include <array>

#include "liven/core/error.hpp"

namespace liven::protocol {
namespace {

constexpr std::array kAll{&Judged::threshold,
                          &Judged::accuracy,
                          &Judged::precision,
                          &Judged::recall,
                          &Judged::f1,
                          &Judged::roc_auc,
                          &Judged::pr_auc,
                          &Judged::apcer,
                          &Judged::bpcer,
                          &Judged::acer,
                          &Judged::eer,
                          &Judged::hter,
                          &Judged::mcc,
                          &Judged::kappa,
                          &Judged::loss,
                          &Judged::true_positives,
                          &Judged::true_negatives,
                          &Judged::false_positives,
                          &Judged::false_negatives};
constexpr std::array kWithoutThreshold{&Judged::roc_auc, &Judged::pr_auc, &Judged::eer, &Judged::hter, &Judged::loss};

Measure count(int64_t number) { return static_cast<double>(number); }

const std::string& type_of(const ScoredSamples& samples, size_t index) {
    static const std::string none;
    return samples.attack_types.empty() ? none : samples.attack_types[index];
}

ScoredSamples chosen(const ScoredSamples& all, const std::vector<std::string>& trained, Attacks attacks) {
    if (attacks == Attacks::all) return all;
    ScoredSamples out;
    for (size_t i = 0; i < all.size(); ++i) {
        const bool known = std::binary_search(trained.begin(), trained.end(), type_of(all, i));
        if (all.labels[i] == attack_class && known != (attacks == Attacks::trained_on)) continue;
        out.scores.push_back(all.scores[i]);
        out.labels.push_back(all.labels[i]);
        if (!all.attack_types.empty()) out.attack_types.push_back(all.attack_types[i]);
    }
    return out;
}

/// At the threshold of equal error on validation samples, where those are others.
Measure hter_of(const ScoredSamples& validation, const ScoredSamples& tested) {
    if (validation == tested) return Measure::undefined("validation and test samples have the same scores and labels");
    return half_total_error_rate(validation, tested).value;
}

}  // namespace

Judged Judged::undefined(const std::string& reason) {
    const Measure none = Measure::undefined(reason);
    return {none, none, none, none, none, none, none, none, none, none,
            none, none, none, none, none, none, none, none, none};
}

Results::Results(const ProtocolSettings& settings, const Plan& plan) : settings_(settings), plan_(plan) {
    for (const Cell& cell : plan.cells)
        if (auto result = read_result(cell, plan.folder(cell))) finished_.emplace(cell.id, std::move(*result));
}

std::vector<const Cell*> Results::repetitions(const std::string& model, const std::string& source) const {
    std::vector<const Cell*> out;
    for (const Cell& cell : plan_.cells)
        if (cell.model == model && cell.source.name == source) out.push_back(&cell);
    return out;
}

std::vector<Source> Results::sources(SourceKind kind) const {
    std::vector<Source> out;
    for (const Cell& cell : plan_.cells) {
        const bool known =
            std::any_of(out.begin(), out.end(), [&](const Source& source) { return source.name == cell.source.name; });
        if (cell.source.kind == kind && !known) out.push_back(cell.source);
    }
    return out;
}

const CellResult* Results::result(const Cell& cell) const {
    const auto found = finished_.find(cell.id);
    return found == finished_.end() ? nullptr : &found->second;
}

Measure Results::threshold(const Cell& cell) const {
    const CellResult* result = this->result(cell);
    if (!result) return Measure::undefined(cell.id + " is not finished");
    const ScoredSamples& validation = result->validation.samples;
    return settings_.threshold == ThresholdRule::minimum_acer ? minimum_acer(validation).threshold
                                                              : equal_error_rate(validation).threshold;
}

ScoredSamples Results::samples(const Cell& cell, const std::string& target, Attacks attacks) const {
    return chosen(result(cell)->targets.at(target).samples, cell.trained_types, attacks);
}

Judged Results::judge(const Cell& cell, const std::string& target, Attacks attacks) const {
    const CellResult* result = this->result(cell);
    if (!result) return Judged::undefined(cell.id + " is not finished");
    if (result->targets.count(target) == 0) return Judged::undefined(cell.id + " was not tested on " + target);
    const ScoredSamples tested = samples(cell, target, attacks);
    const Measure limit = threshold(cell);
    const PadReport report = pad_report(tested, limit.value_or(0.5));
    const Confusion& c = report.confusion;
    Judged out{
        limit,
        report.accuracy,
        report.attack_positive.precision,
        report.attack_positive.recall,
        report.attack_positive.f1,
        report.roc_auc,
        report.pr_auc_attack,
        report.apcer,
        report.bpcer,
        report.acer,
        report.eer.value,
        hter_of(result->validation.samples, tested),
        report.mcc,
        report.kappa,
        attacks == Attacks::all ? Measure(result->targets.at(target).loss) : Measure::undefined("of all samples alone"),
        count(c.true_positives(Positive::attack)),
        count(c.true_negatives(Positive::attack)),
        count(c.false_positives(Positive::attack)),
        count(c.false_negatives(Positive::attack))};
    if (!limit)
        for (Measure Judged::*each : kAll)
            if (std::find(kWithoutThreshold.begin(), kWithoutThreshold.end(), each) == kWithoutThreshold.end())
                out.*each = Measure::undefined("no threshold: " + limit.reason());
    return out;
}

const Judged& Results::judged(const Cell& cell, const std::string& target, Attacks attacks) const {
    const std::string name = cell.id + '\n' + target + '\n' + std::to_string(static_cast<int>(attacks));
    auto found = judged_.find(name);
    if (found == judged_.end()) found = judged_.emplace(name, judge(cell, target, attacks)).first;
    return found->second;
}

std::vector<Measure> Results::measures(const std::string& model, const std::string& source, const std::string& target,
                                       Measure Judged::*measure, Attacks attacks) const {
    std::vector<Measure> out;
    for (const Cell* cell : repetitions(model, source)) out.push_back(judged(*cell, target, attacks).*measure);
    return out;
}

std::vector<Measure> averages(const std::vector<std::vector<Measure>>& of_sets) {
    std::vector<Measure> out;
    for (size_t i = 0; !of_sets.empty() && i < of_sets[0].size(); ++i) {
        Measure mean = 0.0;
        for (const auto& set : of_sets) mean = !mean ? mean : !set[i] ? set[i] : Measure(mean.value() + set[i].value());
        out.push_back(mean ? Measure(mean.value() / static_cast<double>(of_sets.size())) : mean);
    }
    return out;
}

}  // namespace liven::protocol
