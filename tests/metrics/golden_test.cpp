#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "liven/io/file.hpp"
#include "liven/metrics/pad.hpp"

using namespace liven;

namespace {

nlohmann::json cases() { return nlohmann::json::parse(read_text_file(LIVEN_GOLDEN "/metrics.json")).at("cases"); }

ScoredSamples samples_of(const nlohmann::json& golden) {
    return {.scores = golden.at("scores"), .labels = golden.at("labels"), .attack_types = {}};
}

// Both sides compute in double from the same scores, in another order: only rounding separates them.
void agree(const Measure& measure, const nlohmann::json& expected) {
    CHECK(measure.value() == Approx(expected.get<double>()).epsilon(1e-9).margin(1e-9));
}

void agree(const PadReport::ByPositive& ours, const nlohmann::json& golden) {
    agree(ours.precision, golden.at("precision"));
    agree(ours.recall, golden.at("recall"));
    agree(ours.specificity, golden.at("specificity"));
    agree(ours.f1, golden.at("f1"));
}

}  // namespace

TEST_CASE("All measures equal scikit-learn's") {
    for (const nlohmann::json& golden : cases()) {
        INFO(golden.at("name").get<std::string>());
        const PadReport report = pad_report(samples_of(golden), golden.at("threshold"));
        agree(report.accuracy, golden.at("accuracy"));
        agree(report.roc_auc, golden.at("roc_auc"));
        agree(report.pr_auc_bonafide, golden.at("pr_auc_bonafide"));
        agree(report.pr_auc_attack, golden.at("pr_auc_attack"));
        agree(report.mcc, golden.at("mcc"));
        agree(report.kappa, golden.at("kappa"));
        agree(report.apcer, golden.at("apcer"));
        agree(report.bpcer, golden.at("bpcer"));
        agree(report.bonafide_positive, golden.at("bonafide"));
        agree(report.attack_positive, golden.at("attack"));
        if (golden.contains("log_loss"))
            agree(report.log_loss, golden.at("log_loss"));
        else
            CHECK_FALSE(report.log_loss.defined());
    }
}

TEST_CASE("The equal error rate and BPCER at APCER equal those read off scikit-learn's ROC") {
    for (const nlohmann::json& golden : cases()) {
        INFO(golden.at("name").get<std::string>());
        const PadReport report = pad_report(samples_of(golden), golden.at("threshold"));
        agree(report.eer.value, golden.at("eer"));
        agree(report.bpcer100, golden.at("bpcer_at_0.01"));
        agree(report.bpcer20, golden.at("bpcer_at_0.05"));
        agree(report.bpcer10, golden.at("bpcer_at_0.1"));
    }
}

TEST_CASE("The minimum-ACER threshold is as good as the best of all thresholds, and reaches what it claims") {
    for (const nlohmann::json& golden : cases()) {
        INFO(golden.at("name").get<std::string>());
        const ScoredSamples samples = samples_of(golden);
        const Threshold best = minimum_acer(samples);
        agree(best.value, golden.at("min_acer"));
        agree(acer(confusion(samples, best.threshold.value())), golden.at("min_acer"));
    }
}

TEST_CASE("HTER equals the one by scikit-learn's ROC, threshold from one set and errors from another") {
    const nlohmann::json file = nlohmann::json::parse(read_text_file(LIVEN_GOLDEN "/metrics.json"));
    const auto named = [&](const nlohmann::json& name) {
        for (const nlohmann::json& golden : file.at("cases"))
            if (golden.at("name") == name) return samples_of(golden);
        return ScoredSamples{};
    };
    for (const nlohmann::json& golden : file.at("hter")) {
        const Threshold hter = half_total_error_rate(named(golden.at("development")), named(golden.at("test")));
        agree(hter.threshold, golden.at("threshold"));
        agree(hter.value, golden.at("hter"));
    }
}
