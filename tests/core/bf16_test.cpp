#include "liven/core/bf16.hpp"

#include <catch2/catch.hpp>
#include <limits>

using namespace liven;

TEST_CASE("bf16 is the nearest value, ties go to the even one") {
    CHECK(to_bf16(1.0f) == 0x3f80);
    CHECK(from_bf16(0x3f80) == 1.0f);
    const float step = 1.0f / 128;  // between 1 and 2
    CHECK(from_bf16(to_bf16(1.0f + 0.49f * step)) == 1.0f);
    CHECK(from_bf16(to_bf16(1.0f + 0.51f * step)) == 1.0f + step);
    CHECK(from_bf16(to_bf16(1.0f + 0.5f * step)) == 1.0f);
    CHECK(from_bf16(to_bf16(1.0f + 1.5f * step)) == 1.0f + 2 * step);
    CHECK(from_bf16(to_bf16(-3.0f)) == -3.0f);
}

TEST_CASE("What rounds beyond the largest bf16 is infinite, NaN stays NaN") {
    constexpr float largest = std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
    CHECK(from_bf16(to_bf16(largest)) == infinity);
    CHECK(from_bf16(to_bf16(-infinity)) == -infinity);
    CHECK(std::isnan(from_bf16(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
    CHECK(std::isnan(from_bf16(to_bf16(std::bit_cast<float>(0x7f800001u)))));  // its payload lies in the lower half
    CHECK(to_bf16(-0.0f) == 0x8000);
}
