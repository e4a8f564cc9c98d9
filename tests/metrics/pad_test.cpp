#include "liven/metrics/pad.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "liven/core/error.hpp"

using namespace liven;

namespace {

ScoredSamples set(std::vector<double> scores, std::vector<int32_t> labels, std::vector<std::string> types = {}) {
    return {.scores = std::move(scores), .labels = std::move(labels), .attack_types = std::move(types)};
}

}  // namespace

TEST_CASE("A worked example: rates by attack type, and the worst type") {
    //                          bona fide       print      replay     mask
    const ScoredSamples s = set({0.9, 0.8, 0.4, 0.6, 0.2, 0.7, 0.6, 0.1}, {0, 0, 0, 1, 1, 1, 1, 1},
                                {"", "", "", "print", "print", "replay", "replay", "mask"});
    const PadReport report = pad_report(s, 0.5);
    CHECK(report.confusion ==
          Confusion{.bonafide_accepted = 2, .bonafide_rejected = 1, .attacks_accepted = 3, .attacks_rejected = 2});
    CHECK(report.apcer.value() == 3.0 / 5);
    CHECK(report.bpcer.value() == 1.0 / 3);
    CHECK(report.acer.value() == Approx((3.0 / 5 + 1.0 / 3) / 2));
    CHECK(report.apcer_by_type == std::map<std::string, double>{{"mask", 0.0}, {"print", 0.5}, {"replay", 1.0}});
    CHECK(report.worst.type == "replay");
    CHECK(report.acer_worst.value() == Approx((1.0 + 1.0 / 3) / 2));
}

TEST_CASE("A score at the threshold is accepted") {
    const Confusion counts = confusion(set({0.5, 0.5}, {0, 1}), 0.5);
    CHECK(counts.bonafide_accepted == 1);
    CHECK(counts.attacks_accepted == 1);
}

TEST_CASE("The minimum-ACER threshold lies in the middle of the gap") {
    const Threshold best = minimum_acer(set({0.9, 0.7, 0.3, 0.1}, {0, 0, 1, 1}));
    CHECK(best.value.value() == 0.0);
    CHECK(best.threshold.value() == Approx(0.5));
}

TEST_CASE("Ties of the ACER go to the balanced gap, then to the widest, then to the lowest") {
    // Every gap below has ACER 1/4 or more; (0.4, 0.6) errs on one attack, (0.2, 0.4) on none but one bona fide.
    CHECK(minimum_acer(set({0.9, 0.2, 0.6, 0.1}, {0, 0, 1, 1})).value.value() == 0.25);
    // Gaps (0.6, 0.9) and (0.1, 0.2) have the same ACER and imbalance: the wider one wins.
    CHECK(minimum_acer(set({0.9, 0.2, 0.6, 0.1}, {0, 0, 1, 1})).threshold.value() == Approx(0.75));
    // Widths equal too (exactly, in binary): the lower one wins.
    CHECK(minimum_acer(set({0.75, 0.25, 0.5, 0.0}, {0, 0, 1, 1})).threshold.value() == 0.125);
    // Errors of one kind only (imbalance 1/2) lose against one error of each kind (imbalance 0), ACER 1/2 both.
    const Threshold balanced = minimum_acer(set({0.2, 0.6, 0.4, 0.8}, {0, 0, 1, 1}));
    CHECK(balanced.value.value() == 0.5);
    CHECK(balanced.threshold.value() == Approx(0.5));
}

TEST_CASE("Scores on the wrong side of each other give a threshold that rejects or accepts all") {
    const ScoredSamples s = set({0.1, 0.9}, {0, 1});
    const Threshold best = minimum_acer(s);
    CHECK(best.value.value() == 0.5);
    CHECK(acer(confusion(s, best.threshold.value())).value() == 0.5);
}

TEST_CASE("Neighbouring doubles still get a threshold that parts them") {
    const double low = 0.5, high = std::nextafter(low, 1.0);
    const ScoredSamples s = set({high, low}, {0, 1});
    const Threshold best = minimum_acer(s);
    CHECK(acer(confusion(s, best.threshold.value())).value() == 0.0);
}

TEST_CASE("The equal error rate interpolates between the points of the ROC") {
    // At 0.6: FAR 0, FRR 1/2; at 0.4: FAR 1, FRR 1/2. The line crosses at FAR = 1/2, half way.
    const Threshold eer = equal_error_rate(set({0.6, 0.2, 0.4}, {0, 0, 1}));
    CHECK(eer.value.value() == Approx(0.5));
    CHECK(eer.threshold.value() == Approx(0.5));
}

TEST_CASE("HTER takes its threshold from the development set") {
    const ScoredSamples development = set({0.9, 0.8, 0.2, 0.1}, {0, 0, 1, 1});
    const ScoredSamples test = set({0.9, 0.15, 0.3, 0.1}, {0, 0, 1, 1});
    const Threshold hter = half_total_error_rate(development, test);
    CHECK(hter.threshold.value() == equal_error_rate(development).threshold.value());
    CHECK(hter.value.value() == acer(confusion(test, hter.threshold.value())).value());
    CHECK_FALSE(half_total_error_rate(set({}, {}), test).value.defined());
}

TEST_CASE("A report takes its threshold from validation samples, never from the test's unless words say so") {
    const ScoredSamples validation = set({0.9, 0.8, 0.3, 0.1}, {0, 0, 1, 1});
    const ScoredSamples test = set({0.9, 0.5, 0.6, 0.1}, {0, 0, 1, 1});
    const PadReport report = pad_report(validation, test);
    CHECK(report.threshold == Approx(0.55));  // the middle of 0.3 and 0.8
    CHECK(report.apcer.value() == 0.5);       // 0.6 passes
    CHECK(report.bpcer.value() == 0.5);       // 0.5 does not
    CHECK(pad_report(validation, test, {.rule = ThresholdRule::equal_error_rate}).threshold ==
          equal_error_rate(validation).threshold.value());
    CHECK_THROWS_WITH(pad_report(test, test), Catch::Contains("4 it judges"));
    CHECK_THROWS_WITH(pad_report(test, ScoredSamples(test)), Catch::Contains("within-set optimum"));
    CHECK_THROWS_AS(half_total_error_rate(test, test), Error);
    const PadReport optimum = pad_report(test, test, {.within_set_optimum = "the paper has no validation set"});
    CHECK(optimum.acer.value() == 0.25);
    CHECK_THROWS_WITH(pad_report(set({0.9, 0.8}, {0, 0}), test), Catch::Contains("no attack samples"));
}

TEST_CASE("A worked example of every measure: 3 of 4 bona fide and 4 of 6 attacks are judged rightly") {
    // Bona fide 0.9 0.8 0.6 | 0.3, attacks 0.7 0.55 | 0.4 0.2 0.1 0.05; accepted from 0.5 on.
    const ScoredSamples s{.scores = {0.9, 0.8, 0.6, 0.3, 0.7, 0.55, 0.4, 0.2, 0.1, 0.05},
                          .labels = {0, 0, 0, 0, 1, 1, 1, 1, 1, 1},
                          .attack_types = {"", "", "", "", "mask", "mask", "mask", "print", "print", "print"}};
    const PadReport r = pad_report(s, 0.5);
    CHECK(r.confusion ==
          Confusion{.bonafide_accepted = 3, .bonafide_rejected = 1, .attacks_accepted = 2, .attacks_rejected = 4});
    CHECK(r.apcer.value() == Approx(2.0 / 6));
    CHECK(r.bpcer.value() == Approx(1.0 / 4));
    CHECK(r.acer.value() == Approx((2.0 / 6 + 1.0 / 4) / 2));
    CHECK(r.worst.type == "mask");
    CHECK(r.worst.apcer.value() == Approx(2.0 / 3));
    CHECK(r.acer_worst.value() == Approx((2.0 / 3 + 1.0 / 4) / 2));
    CHECK(r.accuracy.value() == Approx(7.0 / 10));
    CHECK(r.bonafide_positive.precision.value() == Approx(3.0 / 5));
    CHECK(r.bonafide_positive.recall.value() == Approx(3.0 / 4));
    CHECK(r.bonafide_positive.specificity.value() == Approx(4.0 / 6));
    CHECK(r.bonafide_positive.f1.value() == Approx(2.0 * 3 / (2.0 * 3 + 2 + 1)));
    CHECK(r.attack_positive.precision.value() == Approx(4.0 / 5));
    CHECK(r.attack_positive.recall.value() == Approx(4.0 / 6));
    CHECK(r.attack_positive.specificity.value() == Approx(3.0 / 4));
    CHECK(r.mcc.value() == Approx((3.0 * 4 - 2.0 * 1) / std::sqrt(5.0 * 4 * 6 * 5)));
    // Chance agrees with 0.5 * 0.4 + 0.5 * 0.6 = 0.5.
    CHECK(r.kappa.value() == Approx((0.7 - 0.5) / (1 - 0.5)));
    CHECK(r.roc_auc.value() == Approx((6.0 + 6 + 5 + 3) / 24));  // attacks below each bona fide score
    // Bona fide scores are the 1st, 2nd, 4th and 7th of all.
    CHECK(r.pr_auc_bonafide.value() == Approx((1.0 / 1 + 2.0 / 2 + 3.0 / 4 + 4.0 / 7) / 4));
    CHECK(r.bpcer100.value() == Approx(2.0 / 4));  // no attack may pass: threshold 0.8
    CHECK(r.bpcer10.value() == Approx(2.0 / 4));
    CHECK(bpcer_at_apcer(s, 0.2).value.value() == Approx(1.0 / 4));  // one of six may
    CHECK(r.eer.value.value() == Approx(0.25));                      // APCER reaches 2 of 6 while BPCER stays at 1 of 4
    const double right = std::log(0.9) + std::log(0.8) + std::log(0.6) + std::log(0.3) + std::log(0.3) +
                         std::log(0.45) + std::log(0.6) + std::log(0.8) + std::log(0.9) + std::log(0.95);
    CHECK(r.log_loss.value() == Approx(-right / 10));
}

TEST_CASE("29 attacks of 100 are within an APCER of 0.29, whatever the rounding") {
    ScoredSamples s;
    for (int i = 0; i < 100; ++i) {
        s.scores.push_back(i);
        s.labels.push_back(attack_class);
    }
    s.scores.push_back(70.5);  // 29 attacks (71 .. 99) score higher
    s.labels.push_back(bonafide_class);
    CHECK(bpcer_at_apcer(s, 0.29).value.value() == 0.0);
    CHECK(bpcer_at_apcer(s, 0.28).value.value() == 1.0);
}

TEST_CASE("Degenerate input is undefined with its reason, never zero and never NaN") {
    const auto reasons = [](const ScoredSamples& s) {
        const PadReport r = pad_report(s, 0.5);
        return std::vector<std::string>{r.roc_auc.reason(),   r.pr_auc_attack.reason(),
                                        r.eer.value.reason(), r.eer.threshold.reason(),
                                        r.bpcer10.reason(),   minimum_acer(s).value.reason()};
    };
    for (const std::string& reason : reasons(set({}, {}))) CHECK(reason == "no samples");
    for (const std::string& reason : reasons(set({0.3, 0.7}, {0, 0}))) CHECK(reason == "no attack samples");
    for (const std::string& reason : reasons(set({0.3, 0.7}, {1, 1}))) CHECK(reason == "no bona fide samples");
    for (const std::string& reason : reasons(set({0.5, 0.5}, {0, 1}))) CHECK(reason == "all scores are equal");

    const PadReport empty = pad_report({}, 0.5);
    for (const Measure& m : {empty.accuracy, empty.apcer, empty.bpcer, empty.acer, empty.log_loss, empty.mcc,
                             empty.kappa, empty.attack_positive.precision, empty.attack_positive.f1, empty.acer_worst})
        CHECK_FALSE(m.defined());
    CHECK(acer(confusion(set({0.7}, {0}), 0.5)).reason() == "no attack samples");
    CHECK(matthews_correlation(confusion(set({0.7, 0.8}, {0, 1}), 0.5)).defined() == false);
    CHECK(cohen_kappa(confusion(set({0.7, 0.8}, {0, 0}), 0.5)).defined() == false);
    CHECK(log_loss(set({1.5, 0.2}, {0, 1})).reason() == "score 0 is no probability");
    CHECK_THROWS_WITH(empty.apcer.value(), Catch::Contains("no attack samples"));
    CHECK(empty.apcer.str() == "undefined (no attack samples)");
    CHECK(Measure(0.0417).str() == "0.0417");
}

TEST_CASE("A certain and wrong probability costs a finite log-loss") {
    // -log(2^-52), the clipping
    CHECK(log_loss(set({0.0}, {0})).value() == Approx(52 * std::log(2.0)));
}

TEST_CASE("Bad input is an error") {
    CHECK_THROWS_AS(pad_report(set({0.5}, {0, 1}), 0.5), Error);
    CHECK_THROWS_AS(pad_report(set({0.5}, {2}), 0.5), Error);
    CHECK_THROWS_AS(pad_report(set({std::nan("")}, {0}), 0.5), Error);
    CHECK_THROWS_AS(pad_report(set({std::numeric_limits<double>::infinity()}, {0}), 0.5), Error);
    CHECK_THROWS_AS(pad_report(set({0.5}, {0}), std::nan("")), Error);
    CHECK_THROWS_AS(apcer_by_type(set({0.5}, {1}), 0.5), Error);
    CHECK_THROWS_AS(bpcer_at_apcer(set({0.5, 0.6}, {0, 1}), 1.5), Error);
    CHECK_THROWS_AS(score_histogram(set({0.5}, {0}), 0), Error);
}

TEST_CASE("The histogram counts every score once, the ends included") {
    const ScoreHistogram unit = score_histogram(set({0.0, 1.0, 0.5, 0.49, 0.99}, {0, 0, 1, 1, 1}), 2);
    CHECK(unit.low == 0);
    CHECK(unit.high == 1);
    CHECK(unit.bonafide == std::vector<int64_t>{1, 1});
    CHECK(unit.attack == std::vector<int64_t>{1, 2});
    const ScoreHistogram logits = score_histogram(set({-3.0, 5.0}, {1, 0}), 4);
    CHECK(logits.low == -3);
    CHECK(logits.high == 5);
    CHECK(logits.bonafide == std::vector<int64_t>{0, 0, 0, 1});
    CHECK(score_histogram(set({7.0, 7.0}, {0, 1}), 3).bonafide == std::vector<int64_t>{1, 0, 0});
    CHECK(score_histogram({}, 3).attack == std::vector<int64_t>{0, 0, 0});
}
