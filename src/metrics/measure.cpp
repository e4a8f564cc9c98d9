#include "liven/metrics/measure.hpp"

#include <array>
#include <cstdio>

#include "liven/core/error.hpp"

namespace liven {

double Measure::value() const {
    if (!value_) throw Error("measure", "is undefined: " + reason_);
    return *value_;
}

std::string Measure::str(int decimals) const {
    if (!value_) return "undefined (" + reason_ + ")";
    std::array<char, 400> text{};  // the longest double has 309 digits before its point
    std::snprintf(text.data(), text.size(), "%.*f", decimals, *value_);
    return text.data();
}

Measure ratio(double numerator, double denominator, const char* reason) {
    return denominator == 0 ? Measure::undefined(reason) : Measure(numerator / denominator);
}

}  // namespace liven
