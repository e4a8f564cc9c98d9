#include "liven/report/score_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/metrics/pad.hpp"
#include "src/metrics/curve.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

/// (APCER, 1 - BPCER) at every threshold that makes a difference, from rejecting all to accepting all.
std::vector<Point> roc_points(const NamedScores& model) {
    if (model.samples.bonafide() == 0 || model.samples.attacks() == 0)
        throw Error("chart", "the scores of '" + model.name + "' lack a class");
    const auto bonafide = static_cast<double>(model.samples.bonafide()),
               attacks = static_cast<double>(model.samples.attacks());
    std::vector<Point> points{{0, 0, "rejecting all"}};
    for (const metrics::CurvePoint& at : metrics::curve(model.samples))
        points.push_back({static_cast<double>(at.attacks_accepted) / attacks,
                          static_cast<double>(at.bonafide_accepted) / bonafide, "threshold " + number(at.score)});
    return points;
}

/// Points on a straight line between their neighbours say nothing: thousands of samples leave few corners.
std::vector<Point> corners(const std::vector<Point>& points) {
    std::vector<Point> kept;
    for (const Point& point : points) {
        while (kept.size() >= 2) {
            const Point &a = kept[kept.size() - 2], &b = kept.back();
            const double turn = (b.x - a.x) * (point.y - b.y) - (b.y - a.y) * (point.x - b.x);
            if (std::abs(turn) > 1e-12) break;
            kept.pop_back();
        }
        kept.push_back(point);
    }
    return kept;
}

/// The curve, and the point that the model's threshold gives.
void add_operating_point(LineChart& chart, const NamedScores& model, size_t like, bool detection_error) {
    if (!model.threshold) return;
    const Confusion counts = confusion(model.samples, *model.threshold);
    const double accepted = apcer(counts).value(), rejected = bpcer(counts).value();
    chart.series.push_back(
        {.name = model.name + ", its threshold",
         .points = {{accepted, detection_error ? rejected : 1 - rejected, "threshold " + number(*model.threshold)}},
         .joined = false,
         .like = like});
}

}  // namespace

LineChart roc_chart(std::span<const NamedScores> models) {
    LineChart chart{.title = "ROC",
                    .x = {.title = "attacks accepted (APCER)", .low = 0, .high = 1},
                    .y = {.title = "bona fide accepted (1 - BPCER)", .low = 0, .high = 1},
                    .series = {},
                    .square = true,
                    .diagonal = true};
    for (const NamedScores& model : models)
        chart.series.push_back({.name = model.name, .points = corners(roc_points(model))});
    for (size_t i = 0; i < models.size(); ++i) add_operating_point(chart, models[i], i, false);
    return chart;
}

LineChart det_chart(std::span<const NamedScores> models) {
    LineChart chart{.title = "DET",
                    .x = {.title = "APCER", .scale = Scale::probit, .low = 0.001, .high = 0.99},
                    .y = {.title = "BPCER", .scale = Scale::probit, .low = 0.001, .high = 0.99},
                    .series = {},
                    .square = true};
    for (const NamedScores& model : models) {
        std::vector<Point> points = corners(roc_points(model));
        for (Point& point : points) point.y = 1 - point.y;
        chart.series.push_back({.name = model.name, .points = std::move(points)});
    }
    for (size_t i = 0; i < models.size(); ++i) add_operating_point(chart, models[i], i, true);
    return chart;
}

Histogram score_chart(const NamedScores& model, int bins) {
    const ScoreHistogram counts = score_histogram(model.samples, bins);
    Histogram chart{.title = "Scores of " + model.name,
                    .x = {.title = "score (higher: more bona fide)"},
                    .low = counts.low,
                    .high = counts.high,
                    .classes = {{"bona fide", counts.bonafide}, {"attack", counts.attack}}};
    if (model.threshold)
        chart.rules.push_back({.at = *model.threshold, .label = fmt::format("threshold {:.3f}", *model.threshold)});
    return chart;
}

LineChart reliability_chart(std::span<const NamedScores> models, int bins) {
    LineChart chart{.title = "Reliability",
                    .x = {.title = "mean score", .low = 0, .high = 1},
                    .y = {.title = "share that is bona fide", .low = 0, .high = 1},
                    .series = {},
                    .square = true,
                    .diagonal = true};
    for (const NamedScores& model : models) {
        struct Part {
            double scores = 0, bonafide = 0, count = 0;
        };
        std::vector<Part> parts(static_cast<size_t>(bins));
        for (size_t i = 0; i < model.samples.size(); ++i) {
            const double score = model.samples.scores[i];
            if (!(score >= 0 && score <= 1))
                throw Error("chart", "the scores of '" + model.name + "' are no probabilities: " + number(score));
            Part& part = parts[std::min(static_cast<size_t>(score * bins), parts.size() - 1)];
            part.scores += score;
            part.bonafide += model.samples.labels[i] == bonafide_class ? 1 : 0;
            ++part.count;
        }
        Series series{.name = model.name, .points = {}, .marked = true};
        for (const Part& part : parts)
            if (part.count > 0)
                series.points.push_back(
                    {part.scores / part.count, part.bonafide / part.count, fmt::format("{} samples", part.count)});
        chart.series.push_back(std::move(series));
    }
    return chart;
}

}  // namespace liven::report
