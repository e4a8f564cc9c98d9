#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>

/// Prints a number beside the expected one and ends the program when they differ.
inline void expect(const char* what, float value, float expected, float tolerance = 1e-5f) {
    std::printf("%-44s %10.5f   expected %10.5f\n", what, static_cast<double>(value), static_cast<double>(expected));
    if (!(std::abs(value - expected) <= tolerance)) std::exit(1);
}

/// The same for a number that must exceed another.
inline void expect_above(const char* what, double value, double bound) {
    std::printf("%-44s %10.5f   expected more than %.2f\n", what, value, bound);
    if (!(value > bound)) std::exit(1);
}
