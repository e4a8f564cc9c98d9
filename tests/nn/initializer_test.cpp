#include "liven/nn/initializer.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace liven;

namespace {

const Shape wide_kernel{3, 3, 20, 30};  // fan_in 180, fan_out 270

std::vector<float> drawn(const Initializer& initializer, const Shape& shape, uint64_t key = 5) {
    std::vector<float> values(static_cast<size_t>(shape.count()));
    initializer.fill(values, shape, key);
    return values;
}

double mean_of(const std::vector<float>& values) {
    double sum = 0;
    for (float value : values) sum += static_cast<double>(value);
    return sum / static_cast<double>(values.size());
}
double deviation_of(const std::vector<float>& values) {
    double sum = 0;
    for (float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum / static_cast<double>(values.size()));
}
double largest_of(const std::vector<float>& values) {
    double largest = 0;
    for (float value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
    return largest;
}

/// 5,400 draws: the deviation's own relative deviation is about 1 %, the mean's about 1.4 % of a deviation.
void check_deviation(const Initializer& initializer, double expected) {
    const auto values = drawn(initializer, wide_kernel);
    CHECK(deviation_of(values) == Approx(expected).epsilon(0.04));
    CHECK(std::abs(mean_of(values)) < 0.06 * expected);
}

}  // namespace

TEST_CASE("Glorot keeps the variance between both fans") {
    check_deviation(Initializer::glorot_uniform(), std::sqrt(2.0 / 450));
    check_deviation(Initializer::glorot_normal(), std::sqrt(2.0 / 450));
    CHECK(largest_of(drawn(Initializer::glorot_uniform(), wide_kernel)) <= std::sqrt(6.0 / 450));
}

TEST_CASE("He keeps the variance of one fan, with the slope of the rectifier") {
    check_deviation(Initializer::he_uniform(), std::sqrt(2.0 / 180));
    check_deviation(Initializer::he_normal(), std::sqrt(2.0 / 180));
    check_deviation(Initializer::he_normal(0, Initializer::Fan::out), std::sqrt(2.0 / 270));
    check_deviation(Initializer::he_uniform(0.2f), std::sqrt(2.0 / 1.04 / 180));
}

TEST_CASE("The truncated normal ends at two deviations") {
    const auto values = drawn(Initializer::truncated_normal(0.1f), wide_kernel);
    CHECK(largest_of(values) <= 0.2);
    CHECK(largest_of(values) > 0.19);
    CHECK(deviation_of(values) == Approx(0.08796).epsilon(0.04));  // of the truncated distribution
}

TEST_CASE("Orthogonal weights are orthonormal along the shorter side") {
    for (const Shape& shape : {Shape{7, 5}, Shape{5, 7}, Shape{6, 6}, Shape{3, 3, 2, 4}, Shape{1, 9}}) {
        const auto values = drawn(Initializer::orthogonal(2), shape);
        const auto columns = static_cast<size_t>(shape[-1]), rows = values.size() / columns;
        const bool tall = rows >= columns;
        const size_t vectors = std::min(rows, columns), length = std::max(rows, columns);
        const auto at = [&](size_t vector, size_t k) {
            return static_cast<double>(tall ? values[k * columns + vector] : values[vector * columns + k]);
        };
        for (size_t i = 0; i < vectors; ++i)
            for (size_t j = 0; j <= i; ++j) {
                double dot = 0;
                for (size_t k = 0; k < length; ++k) dot += at(i, k) * at(j, k);
                CHECK(dot == Approx(i == j ? 4.0 : 0.0).margin(1e-5));  // float32 storage
            }
    }
}

TEST_CASE("Constants are constant, and keys tell parameters apart") {
    CHECK(drawn(Initializer::constant(0.25f), {3}) == std::vector<float>(3, 0.25f));
    CHECK(drawn(Initializer::ones(), {2}) == std::vector<float>(2, 1.0f));
    CHECK(drawn({}, wide_kernel, 1) == drawn({}, wide_kernel, 1));
    CHECK(drawn({}, wide_kernel, 1) != drawn({}, wide_kernel, 2));
}
