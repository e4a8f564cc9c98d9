#include "src/report/axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "liven/core/error.hpp"
#include "src/metrics/distributions.hpp"

namespace liven::report {
namespace {

constexpr double kLeastShare = 0.0005;

/// 1, 2 or 5 times a power of ten: about so many steps.
double step_for(double extent, int steps) {
    const double rough = extent / steps, power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (rough <= factor * power * 1.0001) return factor * power;
    return 10 * power;
}

std::vector<double> linear_ticks(double low, double high, int steps = 6, double least_step = 0) {
    const double step = std::max(step_for(high - low, steps), least_step);
    std::vector<double> ticks;
    for (double at = std::ceil(low / step - 1e-9) * step; at <= high + 1e-9 * step; at += step)
        ticks.push_back(std::abs(at) < step * 1e-9 ? 0 : at);
    return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
    std::vector<double> ticks;
    for (double at = std::pow(10, std::floor(std::log10(low))); at <= high * 1.0001; at *= 10)
        if (at >= low * 0.9999) ticks.push_back(at);
    return ticks.size() >= 2 ? ticks : linear_ticks(low, high);
}

std::vector<double> probit_ticks(double low, double high) {
    constexpr std::array<double, 9> kUsual{0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999};
    std::vector<double> ticks;
    std::copy_if(kUsual.begin(), kUsual.end(), std::back_inserter(ticks),
                 [&](double tick) { return tick >= low && tick <= high; });
    return ticks;
}

double clipped(double share) { return std::clamp(share, kLeastShare, 1 - kLeastShare); }

}  // namespace

std::string number(double value) {
    if (value == 0) return "0";
    const double size = std::abs(value);
    if (size < 1e6 && size >= 1e-3)
        return fmt::format("{:.6g}", size < 1e-2 ? std::round(value * 1e6) / 1e6 : std::round(value * 1e4) / 1e4);
    // 1.5e-4, not 1.50e-04.
    int power = static_cast<int>(std::floor(std::log10(size)));
    double digits = std::round(value / std::pow(10, power) * 100) / 100;
    if (std::abs(digits) >= 10) digits /= 10, ++power;
    return fmt::format("{:g}e{}", digits, power);
}

Mapping::Mapping(const Axis& axis, double low, double high)
    : title_(axis.title), scale_(axis.scale), low_(axis.low.value_or(low)), high_(axis.high.value_or(high)) {
    if (scale_ == Scale::logarithmic && low_ <= 0)
        throw Error("chart", "expected numbers above 0 on the logarithmic axis '" + title_ + "', got " + number(low_));
    if (scale_ == Scale::probit) low_ = clipped(low_), high_ = clipped(high_);
    if (high_ - low_ <= 1e-12 * std::max(std::abs(low_), std::abs(high_))) {
        // One value: room on both sides of it.
        const double room = scale_ == Scale::linear ? std::max(0.5, std::abs(low_) / 2) : 0;
        high_ = scale_ == Scale::linear ? low_ + room : low_ * 1.5;
        low_ = scale_ == Scale::linear ? low_ - room : low_ / 1.5;
    }
    ticks_ = scale_ == Scale::linear        ? linear_ticks(low_, high_, axis.ticks, axis.counts ? 1 : 0)
             : scale_ == Scale::logarithmic ? logarithmic_ticks(low_, high_)
                                            : probit_ticks(low_, high_);
}

double Mapping::transformed(double value) const {
    if (scale_ == Scale::logarithmic) return std::log(value);
    if (scale_ == Scale::probit) return metrics::normal_quantile(clipped(value));
    return value;
}

double Mapping::at(double value) const {
    const double low = transformed(low_), high = transformed(high_);
    return std::clamp((transformed(value) - low) / (high - low), 0.0, 1.0);
}

void Plot::draw_axes(Canvas& canvas, bool x_ticks) const {
    for (const double tick : y_.ticks()) {
        canvas.line(left(), y(tick), right(), y(tick), "grid");
        canvas.text(left() - 6, y(tick) + 4, number(tick), Anchor::end);
    }
    if (x_ticks)
        for (const double tick : x_.ticks()) {
            canvas.line(x(tick), top(), x(tick), bottom(), "grid");
            canvas.text(x(tick), bottom() + 19, number(tick), Anchor::middle);
        }
    canvas.line(left(), bottom(), right(), bottom(), "axis");
    canvas.line(left(), top(), left(), bottom(), "axis");
    if (!x_.title().empty()) canvas.text((left() + right()) / 2, bottom() + 39, x_.title(), Anchor::middle);
    canvas.upright_text(13, (top() + bottom()) / 2, y_.title());
}

void Plot::draw_rules(Canvas& canvas, const std::vector<Rule>& rules) const {
    for (const Rule& rule : rules) {
        if (rule.vertical) {
            const double at = x(rule.at);
            const bool left_of = at > (left() + right()) / 2;
            canvas.line(at, top(), at, bottom(), "rule");
            canvas.text(at + (left_of ? -5 : 5), top() + 12, rule.label, left_of ? Anchor::end : Anchor::start, "rule");
        } else {
            canvas.line(left(), y(rule.at), right(), y(rule.at), "rule");
            canvas.text(right() - 4, y(rule.at) - 5, rule.label, Anchor::end, "rule");
        }
    }
}

double legend_height(const Frame& frame, const std::vector<std::string>& names) {
    return names.size() > 1 ? 6 + legend_line * static_cast<double>(legend_rows(frame.inner_width(), names)) : 4;
}

void require_finite(const std::string& chart, double value) {
    if (!std::isfinite(value)) throw Error("chart", "'" + chart + "' holds a number that is not finite");
}

}  // namespace liven::report
