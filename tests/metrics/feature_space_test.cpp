#include "liven/metrics/feature_space.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "liven/core/philox.hpp"
#include "liven/io/file.hpp"
#include "src/metrics/tsne.hpp"

using namespace liven;

namespace {

nlohmann::json space(const char* part) {
    return nlohmann::json::parse(read_text_file(LIVEN_GOLDEN "/feature_space.json")).at(part);
}

Features features_of(const nlohmann::json& golden) {
    return {.values = golden.at("values"), .rows = golden.at("rows"), .columns = golden.at("columns")};
}

template <class Values>
void near(const Values& values, const nlohmann::json& expected, double tolerance) {
    REQUIRE(values.size() == expected.size());
    for (size_t i = 0; i < values.size(); ++i)
        CHECK(static_cast<double>(values[i]) == Approx(expected[i].get<double>()).margin(tolerance));
}

std::vector<double> flat(const std::vector<metrics::Point>& points) {
    std::vector<double> values;
    for (const metrics::Point& point : points) values.insert(values.end(), point.begin(), point.end());
    return values;
}

std::vector<metrics::Point> points_of(const nlohmann::json& golden) {
    std::vector<metrics::Point> points;
    for (size_t i = 0; i + 1 < golden.size(); i += 2) points.push_back({golden[i], golden[i + 1]});
    return points;
}

/// `clusters` clouds far from each other.
Features clouds(int64_t rows, int64_t clusters, std::vector<int32_t>& labels) {
    Features features{.values = {}, .rows = rows, .columns = 10};
    Random random(4);
    labels.clear();
    for (int64_t row = 0; row < rows; ++row) {
        labels.push_back(static_cast<int32_t>(row % clusters));
        for (int64_t column = 0; column < features.columns; ++column)
            features.values.push_back(random.normal() + (column == row % clusters ? 12.0f : 0.0f));
    }
    return features;
}

}  // namespace

TEST_CASE("The silhouette equals scikit-learn's") {
    const nlohmann::json golden = space("silhouette");
    const Features features = features_of(golden);
    std::vector<int32_t> labels = golden.at("labels");
    CHECK(silhouette(features, labels).value() == Approx(golden.at("three").get<double>()).epsilon(1e-9));
    for (int32_t& label : labels) label = std::min(label, 1);
    CHECK(silhouette(features, labels).value() == Approx(golden.at("two").get<double>()).epsilon(1e-9));
}

TEST_CASE("Principal components equal scikit-learn's, with more rows than columns and with fewer") {
    for (const nlohmann::json& golden : space("pca")) {
        const Features features = features_of(golden);
        const auto count = static_cast<int64_t>(golden.at("explained").size());
        const PrincipalComponents found = principal_components(features, count);
        near(found.components.values, golden.at("components"), 2e-7);  // they are floats
        near(found.scores.values, golden.at("scores"), 2e-6);          // of up to 7
        near(found.explained, golden.at("explained"), 1e-12);
    }
}

TEST_CASE("There are no more components than the samples span") {
    const Features line{.values = {1, 2, 2, 4, 3, 6, 5, 10}, .rows = 4, .columns = 2};
    const PrincipalComponents found = principal_components(line, 2);
    CHECK(found.components.rows == 1);
    CHECK(found.explained.front() == Approx(1));
    CHECK(principal_components({.values = {3, 3, 3}, .rows = 3, .columns = 1}, 1).components.rows == 0);
}

TEST_CASE("Affinities have the perplexity asked for, as found by another solver") {
    const nlohmann::json golden = space("tsne");
    const Features features = features_of(space("silhouette"));
    const metrics::Affinities found = metrics::affinities(features, golden.at("perplexity"), features.rows - 1);
    std::vector<double> dense(static_cast<size_t>(features.rows * features.rows), 0);
    for (int64_t row = 0; row < features.rows; ++row)
        for (size_t k = found.begin[static_cast<size_t>(row)]; k < found.begin[static_cast<size_t>(row) + 1]; ++k)
            dense[static_cast<size_t>(row * features.rows + found.column[k])] = found.value[k];
    near(dense, golden.at("affinities"), 1e-10);
}

TEST_CASE("t-SNE's gradient is that of the formula, and a quadtree comes near it") {
    const nlohmann::json golden = space("tsne");
    const Features features = features_of(space("silhouette"));
    const metrics::Affinities p = metrics::affinities(features, golden.at("perplexity"), features.rows - 1);
    const std::vector<metrics::Point> points = points_of(golden.at("points"));
    std::vector<metrics::Point> gradient(points.size());
    metrics::gradient_of(p, points, 1, 0, gradient);
    near(flat(gradient), golden.at("gradient"), 1e-10);
    metrics::gradient_of(p, points, 12, 0, gradient);
    near(flat(gradient), golden.at("exaggerated"), 1e-9);
    metrics::gradient_of(p, points, 1, 0.5, gradient);
    near(flat(gradient), golden.at("gradient"),
         1e-3);  // of entries up to 0.03; cells at most half as wide as they are far
}

TEST_CASE("Points in one place, and points without extent, are embedded without harm") {
    std::vector<int32_t> labels;
    Features features = clouds(30, 3, labels);
    for (int64_t column = 0; column < features.columns; ++column)
        for (int64_t row = 1; row < 5; ++row)
            features.values[static_cast<size_t>(row * features.columns + column)] =
                features.values[static_cast<size_t>(column)];
    for (const float value : tsne(features, {.iterations = 60}).points.values) CHECK(std::isfinite(value));
    const Features same{.values = std::vector<float>(12, 1.0f), .rows = 6, .columns = 2};
    for (const float value : tsne(same, {.iterations = 20}).points.values) CHECK(std::isfinite(value));
}

TEST_CASE("Few samples settle: steps fit for hundreds would throw them about") {
    std::vector<int32_t> labels;
    const auto reach = [](const Tsne& picture) {
        float most = 0;
        for (const float value : picture.points.values) most = std::max(most, std::abs(value));
        return most;
    };
    for (const int64_t rows : {12, 30, 60}) {
        CAPTURE(rows);
        const Features features = clouds(rows, 1, labels);
        const Tsne settled = tsne(features, {.theta = 0}), thrown = tsne(features, {.theta = 0, .learning_rate = 50});
        CHECK(settled.divergence < thrown.divergence);
        CHECK(3 * reach(settled) < reach(thrown));
    }
}

TEST_CASE("Clouds that are apart stay apart in the picture, exactly and by the quadtree") {
    std::vector<int32_t> labels;
    const Features features = clouds(90, 3, labels);
    for (const double theta : {0.0, 0.5}) {
        const Tsne picture = tsne(features, {.perplexity = 15, .theta = theta, .iterations = 300});
        CHECK(silhouette(picture.points, labels).value() > 0.6);
        CHECK(picture.divergence > 0);
        CHECK(picture.divergence < 1);
        CHECK(tsne(features, {.perplexity = 15, .theta = theta, .iterations = 300}).points.values ==
              picture.points.values);
    }
}

TEST_CASE("Features that are none, and requests that cannot be, are errors or undefined") {
    const Features two{.values = {1, 2, 3, 4}, .rows = 2, .columns = 2};
    CHECK_THROWS_WITH(check(Features{.values = {1, 2, 3}, .rows = 2, .columns = 2}),
                      Catch::Contains("2 rows of 2 numbers, got 3"));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH(check(Features{.values = {1, 2, nan, 4}, .rows = 2, .columns = 2}), Catch::Contains("row 1"));
    CHECK_THROWS_WITH(silhouette(two, std::vector<int32_t>{1}), Catch::Contains("a label for each of 2 rows, got 1"));
    CHECK(silhouette(two, std::vector<int32_t>{1, 1}).reason() == "less than two classes");
    CHECK(silhouette(two, std::vector<int32_t>{0, 1}).reason() == "every sample is a class of its own");
    CHECK_THROWS_WITH(principal_components(two, 0), Catch::Contains("one component or more"));
    CHECK_THROWS_WITH(tsne(two), Catch::Contains("four rows or more"));
    std::vector<int32_t> labels;
    CHECK_THROWS_WITH(tsne(clouds(8, 2, labels), {.perplexity = 0.5}), Catch::Contains("perplexity"));
    CHECK_THROWS_WITH(tsne(clouds(8, 2, labels), {.theta = -1}), Catch::Contains("theta"));
}
