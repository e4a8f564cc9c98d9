#include "liven/metrics/hypothesis.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "liven/io/file.hpp"

using namespace liven;

namespace {

nlohmann::json golden(const char* part) {
    return nlohmann::json::parse(read_text_file(LIVEN_GOLDEN "/hypothesis.json")).at(part);
}

// The same sums in another order, and another series for the distributions.
void equals(const Measure& measure, const nlohmann::json& expected) {
    CHECK(measure.value() == Approx(expected.get<double>()).epsilon(1e-9).margin(1e-12));
}

using Numbers = std::vector<double>;

ScoredSamples paired_samples(const nlohmann::json& scores, const nlohmann::json& labels) {
    return {.scores = scores, .labels = labels, .attack_types = {}};
}

}  // namespace

TEST_CASE("t-tests of all kinds equal SciPy's") {
    for (const nlohmann::json& expected : golden("t")) {
        const std::string kind = expected.at("kind");
        INFO(kind);
        const TTest test = t_test(expected.at("a").get<Numbers>(), expected.at("b").get<Numbers>(),
                                  kind == "paired"   ? TTestKind::paired
                                  : kind == "pooled" ? TTestKind::pooled
                                                     : TTestKind::welch);
        equals(test.t, expected.at("t"));
        equals(test.p, expected.at("p"));
        equals(test.freedom, expected.at("freedom"));
        equals(test.effect, expected.at("effect"));
    }
}

TEST_CASE("The analysis of variance and pairwise tests with Holm's adjustment equal SciPy's") {
    for (const nlohmann::json& expected : golden("anova")) {
        const auto groups = expected.at("groups").get<std::vector<Numbers>>();
        const Anova anova = one_way_anova(groups);
        equals(anova.f, expected.at("f"));
        equals(anova.p, expected.at("p"));
        equals(anova.eta_squared, expected.at("eta_squared"));
        CHECK(anova.between_freedom == static_cast<int64_t>(groups.size()) - 1);
        const std::vector<PairwiseTest> pairs = pairwise_t_tests(groups, TTestKind::welch);
        REQUIRE(pairs.size() == expected.at("pairs").size());
        for (size_t i = 0; i < pairs.size(); ++i) {
            equals(pairs[i].test.p, expected.at("pairs")[i]);
            equals(pairs[i].adjusted_p, expected.at("holm")[i]);
        }
    }
}

TEST_CASE("Holm's adjustment by hand") {
    // 0.01 x 4, 0.02 x 3, 0.03 x 2 (not below the 0.06 before it), 0.04 x 1 likewise.
    const Numbers adjusted = holm_adjusted(Numbers{0.03, 0.01, 0.04, 0.02});
    const Numbers expected{0.06, 0.04, 0.06, 0.06};
    for (size_t i = 0; i < expected.size(); ++i) CHECK(adjusted[i] == Approx(expected[i]));
    CHECK(holm_adjusted(Numbers{0.9, 0.8}) == Numbers{1, 1});
    CHECK(holm_adjusted(Numbers{}).empty());
    CHECK_THROWS_WITH(holm_adjusted(Numbers{0.5, 1.5}), Catch::Contains("expected probabilities"));
}

TEST_CASE("DeLong's test equals the paper's formula over every pair of samples") {
    for (const nlohmann::json& expected : golden("delong")) {
        const DeLong test = delong_test(paired_samples(expected.at("a"), expected.at("labels")),
                                        paired_samples(expected.at("b"), expected.at("labels")));
        equals(test.auc_a, expected.at("auc")[0]);
        equals(test.auc_b, expected.at("auc")[1]);
        equals(test.variance_a, expected.at("variance")[0]);
        equals(test.variance_b, expected.at("variance")[1]);
        equals(test.covariance, expected.at("covariance"));
        equals(test.z, expected.at("z"));
        equals(test.p, expected.at("p"));
    }
}

TEST_CASE("McNemar's exact test equals SciPy's binomial test over what one model alone got right") {
    for (const nlohmann::json& expected : golden("coins")) {
        const int64_t first = expected[0], second = expected[1];
        ScoredSamples a, b;
        const auto add = [&](double score_a, double score_b, int64_t times) {
            for (int64_t i = 0; i < times; ++i) {
                a.scores.push_back(score_a);
                b.scores.push_back(score_b);
                a.labels.push_back(bonafide_class);
                b.labels.push_back(bonafide_class);
            }
        };
        add(1, 0, first);
        add(0, 1, second);
        add(1, 1, 5);  // both right: they say nothing
        const McNemar test = mcnemar_test(a, 0.5, b, 0.5);
        CHECK(test.only_first_right == first);
        CHECK(test.only_second_right == second);
        equals(test.p, expected[2]);
    }
}

TEST_CASE("Tests that cannot say anything are undefined with the reason") {
    const Numbers one{1}, two{1, 2}, equal{3, 3, 3};
    CHECK(t_test(one, one, TTestKind::paired).p.reason() == "less than two pairs");
    CHECK(t_test(one, two, TTestKind::welch).p.reason() == "a group of less than two numbers");
    CHECK(t_test(equal, equal, TTestKind::paired).p.reason() == "the numbers do not vary");
    CHECK(t_test(equal, Numbers{4, 4, 4}, TTestKind::pooled).p.reason() == "the numbers do not vary");
    CHECK(t_test(equal, equal, TTestKind::welch).effect.reason() == "the numbers do not vary");
    // Equal but for rounding.
    CHECK(t_test(Numbers{0.3, 0.4, 0.5}, Numbers{0.2, 0.3, 0.4}, TTestKind::paired).p.reason() ==
          "the numbers do not vary");
    CHECK(one_way_anova(std::vector<Numbers>{{0.1, 0.1, 0.1}, {0.2, 0.2, 0.2}}).p.reason() ==
          "the numbers do not vary within their groups");
    CHECK(one_way_anova(std::vector<Numbers>{one, one}).p.reason() == "no more numbers than groups");
    CHECK(one_way_anova(std::vector<Numbers>{two, {}}).p.reason() == "a group without numbers");
    CHECK(one_way_anova(std::vector<Numbers>{equal, {4, 4}}).p.reason() ==
          "the numbers do not vary within their groups");
    CHECK(one_way_anova(std::vector<Numbers>{equal, {4, 4}}).eta_squared.value() == 1);
    const ScoredSamples all{.scores = {0.9, 0.8, 0.1, 0.2}, .labels = {0, 0, 1, 1}, .attack_types = {}};
    CHECK(delong_test(all, all).p.reason() == "the two curves do not differ");
    CHECK(mcnemar_test(all, 0.5, all, 0.5).p.reason() == "the models are right and wrong together");
    const ScoredSamples few{.scores = {0.9, 0.1, 0.2}, .labels = {0, 1, 1}, .attack_types = {}};
    CHECK(delong_test(few, few).auc_a.reason() == "less than two samples of a class");
}

TEST_CASE("Numbers that are none, and samples that do not belong together, are errors") {
    const Numbers two{1, 2}, three{1, 2, 3}, nan{1, std::numeric_limits<double>::quiet_NaN()};
    CHECK_THROWS_WITH(t_test(two, three, TTestKind::paired), Catch::Contains("expected pairs, got 2 and 3 numbers"));
    CHECK_THROWS_WITH(t_test(two, nan, TTestKind::welch), Catch::Contains("expected numbers"));
    CHECK_THROWS_WITH(one_way_anova(std::vector<Numbers>{two}), Catch::Contains("two groups or more, got 1"));
    CHECK_THROWS_WITH(one_way_anova(std::vector<Numbers>{two, nan}), Catch::Contains("expected numbers"));
    const ScoredSamples a{.scores = {0.9, 0.1}, .labels = {0, 1}, .attack_types = {}};
    const ScoredSamples b{.scores = {0.9, 0.1}, .labels = {1, 0}, .attack_types = {}};
    CHECK_THROWS_WITH(delong_test(a, b), Catch::Contains("the same samples"));
    CHECK_THROWS_WITH(mcnemar_test(a, 0.5, b, 0.5), Catch::Contains("the same samples"));
}
