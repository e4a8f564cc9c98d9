#pragma once

#include <optional>
#include <span>
#include <string>

#include "liven/metrics/scores.hpp"
#include "liven/report/chart.hpp"

/// Charts of scores: what every paper of the field shows.
namespace liven::report {

/// One model's scores of a set, and the threshold it decides by.
struct NamedScores {
    std::string name;
    ScoredSamples samples;
    std::optional<double> threshold = {};
};

/// Bona fide accepted over attacks accepted, each model's threshold told on its point of the curve. Throws Error when a
/// set lacks a class.
LineChart roc_chart(std::span<const NamedScores> models);
/// BPCER over APCER by the quantiles of the normal distribution (detection error trade-off).
LineChart det_chart(std::span<const NamedScores> models);
/// Scores of both classes, with the threshold.
Histogram score_chart(const NamedScores& model, int bins = 40);
/// Of samples that score about p, how many are bona fide: a diagonal where scores are the probabilities they seem to
/// be. Parts without samples are left out. Throws Error when a score lies outside [0, 1].
LineChart reliability_chart(std::span<const NamedScores> models, int bins = 10);

}  // namespace liven::report
