#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <vector>

namespace liven::testing {

/// ||a - b|| / ||b||.
inline double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
    REQUIRE(a.size() == b.size());
    double difference = 0, size = 0;
    for (size_t i = 0; i < b.size(); ++i) {
        difference += std::pow(double{a[i]} - double{b[i]}, 2);
        size += std::pow(double{b[i]}, 2);
    }
    return std::sqrt(difference / size);
}

}  // namespace liven::testing
