#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace liven {

/// Class indices, everywhere in Liven.
inline constexpr int32_t bonafide_class = 0;
inline constexpr int32_t attack_class = 1;

/// Scored samples. A higher score means more bona fide; a sample is accepted as bona fide when score >= threshold.
struct ScoredSamples {
    std::vector<double> scores;
    std::vector<int32_t> labels;            ///< bonafide_class or attack_class
    std::vector<std::string> attack_types;  ///< by sample, or empty; ignored for bona fide samples

    size_t size() const { return scores.size(); }
    int64_t bonafide() const;
    int64_t attacks() const;
    bool operator==(const ScoredSamples&) const = default;
};

/// Throws Error when the vectors differ in length, a label is neither class or a score is NaN or infinite. Every
/// measure calls it first.
void check(const ScoredSamples& samples);

}  // namespace liven
