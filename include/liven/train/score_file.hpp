#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "liven/train/judged.hpp"

namespace liven {

/// Scores of one model as a CSV file: name, label, attack_type, group, score, accepted, threshold, threshold_rule; a
/// line a frame, video or subject.
struct ScoreFile {
    Judged judged;
    std::optional<double> threshold{};  ///< at which they were judged; none in files of others
    std::string threshold_rule{};       ///< how it was chosen: "minimum validation ACER"
};

/// Scores read back bit-equal. Throws Error when the file cannot be written.
void write_scores(const std::filesystem::path& path, const ScoreFile& scores);

/// Also what others wrote: name, label (bonafide or attack) and score must be there, without a group each line is its
/// own, and columns that are not known are passed over. Throws Error with the line.
ScoreFile read_scores(const std::filesystem::path& path);

}  // namespace liven
