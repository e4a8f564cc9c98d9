#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "liven/data/sheet.hpp"
#include "liven/metrics/bootstrap.hpp"
#include "liven/train/evaluate.hpp"

/// What is judged: every frame (or clip) by itself, or the mean of a video's or a subject's.
namespace liven {

enum class Unit : uint8_t { frame, video, subject };
std::string_view name_of(Unit unit);
/// Throws Error naming the choices.
Unit unit_from(std::string_view name);

/// What a sample belongs to for intervals and splits: its subject, else its video, else itself; in its data set.
std::string group_of(const data::Sample& sample);

struct Judged {
    ScoredSamples scores;
    std::vector<std::string> names;   ///< path#frame of a frame, else dataset/subject/video or dataset/subject
    std::vector<std::string> groups;  ///< for bootstrap_interval
};
/// Of a subject its bona fide frames are one, and its attacks of each type. Throws Error when a sample has no video or
/// subject.
Judged judged_by(Unit unit, const data::Dataset& set, const Scored& scored);

/// Intervals of a report's measures (auc, acer, apcer, bpcer, eer), by the keys of to_json(PadReport).
std::map<std::string, Interval> intervals_of(const Judged& judged, double threshold, const BootstrapOptions& options);

/// The samples judged most wrongly, worst first: up to `most` attacks that were accepted, then as many bona fide
/// samples that were rejected, beginning a row of their own.
struct ErrorGallery {
    int64_t accepted_attacks = 0, rejected_bonafide = 0;  ///< in all
    data::Image picture;                                  ///< empty when there is no error
};
ErrorGallery error_gallery(const data::Dataset& set, const Scored& scored, double threshold, size_t most = 12);

}  // namespace liven
