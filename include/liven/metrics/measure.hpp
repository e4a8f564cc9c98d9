#pragma once

#include <optional>
#include <string>
#include <utility>

namespace liven {

/// The value of a measure, or the reason why it has none: a rate over no samples is not 0.
class Measure {
public:
    Measure(double value) : value_(value) {}  // NOLINT(google-explicit-constructor): a number is a measure
    static Measure undefined(std::string reason) { return Measure(std::move(reason)); }

    bool defined() const { return value_.has_value(); }
    explicit operator bool() const { return defined(); }
    /// Throws Error with the reason when undefined.
    double value() const;
    double value_or(double otherwise) const { return value_.value_or(otherwise); }
    /// Empty when defined.
    const std::string& reason() const { return reason_; }

    /// "0.0417", or "undefined (no attack samples)".
    std::string str(int decimals = 4) const;

private:
    explicit Measure(std::string reason) : reason_(std::move(reason)) {}

    std::optional<double> value_;
    std::string reason_;
};

/// numerator / denominator, or undefined with the reason when the denominator is zero.
Measure ratio(double numerator, double denominator, const char* reason);

}  // namespace liven
