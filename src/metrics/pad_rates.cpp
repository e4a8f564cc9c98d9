#include <array>

#include "liven/core/error.hpp"
#include "liven/metrics/pad.hpp"
#include "src/metrics/real.hpp"

namespace liven {
namespace {

Measure mean_of(const Measure& a, const Measure& b) {
    if (!a) return a;
    if (!b) return b;
    return (a.value() + b.value()) / 2;
}

}  // namespace

Measure apcer(const Confusion& c) { return ratio(real(c.attacks_accepted), real(c.attacks()), "no attack samples"); }
Measure bpcer(const Confusion& c) {
    return ratio(real(c.bonafide_rejected), real(c.bonafide()), "no bona fide samples");
}
Measure acer(const Confusion& c) { return mean_of(apcer(c), bpcer(c)); }

std::map<std::string, double> apcer_by_type(const ScoredSamples& samples, double threshold) {
    check(samples);
    if (samples.attack_types.empty() && samples.size() != 0)
        throw Error("metrics", "the samples have no attack types", "the manifest's column is attack_type");
    struct Counts {
        int64_t accepted = 0, all = 0;
    };
    std::map<std::string, Counts> counts;
    for (size_t i = 0; i < samples.size(); ++i) {
        if (samples.labels[i] != attack_class) continue;
        Counts& type = counts[samples.attack_types[i]];
        type.accepted += samples.scores[i] >= threshold ? 1 : 0;
        ++type.all;
    }
    std::map<std::string, double> rates;
    for (const auto& [type, count] : counts) rates[type] = real(count.accepted) / real(count.all);
    return rates;
}

WorstType worst_apcer(const ScoredSamples& samples, double threshold) {
    WorstType worst;
    for (const auto& [type, rate] : apcer_by_type(samples, threshold))
        if (!worst.apcer || rate > worst.apcer.value()) worst = {.type = type, .apcer = rate};
    return worst;
}

PadReport pad_report(const ScoredSamples& samples, double threshold) {
    const Confusion counts = confusion(samples, threshold);
    const auto by = [&counts](Positive positive) {
        return PadReport::ByPositive{.precision = precision(counts, positive),
                                     .recall = recall(counts, positive),
                                     .specificity = specificity(counts, positive),
                                     .f1 = f1(counts, positive)};
    };
    const bool typed = !samples.attack_types.empty();
    const WorstType worst =
        typed ? worst_apcer(samples, threshold)
              : WorstType{.type = {}, .apcer = Measure::undefined("the samples have no attack types")};
    return {.threshold = threshold,
            .confusion = counts,
            .apcer = apcer(counts),
            .bpcer = bpcer(counts),
            .acer = acer(counts),
            .apcer_by_type = typed ? apcer_by_type(samples, threshold) : std::map<std::string, double>{},
            .worst = worst,
            .acer_worst = mean_of(worst.apcer, bpcer(counts)),
            .accuracy = accuracy(counts),
            .roc_auc = roc_auc(samples),
            .pr_auc_bonafide = pr_auc(samples, Positive::bonafide),
            .pr_auc_attack = pr_auc(samples, Positive::attack),
            .log_loss = log_loss(samples),
            .mcc = matthews_correlation(counts),
            .kappa = cohen_kappa(counts),
            .eer = equal_error_rate(samples),
            .bpcer100 = bpcer_at_apcer(samples, 0.01).value,
            .bpcer20 = bpcer_at_apcer(samples, 0.05).value,
            .bpcer10 = bpcer_at_apcer(samples, 0.10).value,
            .bonafide_positive = by(Positive::bonafide),
            .attack_positive = by(Positive::attack)};
}

}  // namespace liven
