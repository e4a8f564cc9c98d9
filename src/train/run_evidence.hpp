#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "liven/data/split.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/feature_map.hpp"
#include "liven/train/judged.hpp"
#include "liven/train/model_file.hpp"
#include "liven/train/settings.hpp"

namespace liven {

/// Scores of one part of a run's data.
struct ScoredPart {
    data::Dataset set;
    std::vector<std::string> paths;   ///< of the samples scored
    std::vector<std::string> groups;  ///< what each belongs to: subject, else video, else itself
    Scored scored;
    PadReport report;
    std::vector<data::BrokenFile> broken;
};

/// Scores of the model over a set, at the threshold stored in its file; a bar of that title shows how far it is.
ScoredPart score_part(LoadedModel& loaded, const data::Dataset& set, int64_t batch, const std::string& title);

/// What a report shows of the judged samples.
struct RunPictures {
    ErrorGallery errors;
    data::Image explained;    ///< of each class the sample judged best, a middling one and the one judged worst
    std::string unexplained;  ///< why there is none
    FeatureMap map;
    std::string unmapped;  ///< why there is none
};

/// All that is known of a run.
struct RunEvidence {
    std::string name;
    std::filesystem::path folder;
    TrainSettings settings;
    ModelFileInfo info;
    data::SplitRecord split;
    data::Dataset divided;  ///< all samples with their splits, recordings whole
    std::vector<Json> log;
    bool scores_probability = false;
    double parameters = 0;
    ScoredPart validation;
    std::optional<ScoredPart> test;
    RunPictures pictures;
    /// Of a file of scores: how its threshold was chosen. Then only name, folder (the file), the threshold and
    /// `judged()` are known.
    std::optional<std::string> scores_only;

    /// What figures are about: the test samples if there are any.
    const ScoredPart& judged() const { return test ? *test : validation; }
};

/// The pictures of these samples. Kept to a thousand samples where the work grows by their square.
RunPictures draw_pictures(LoadedModel& model, const ScoredPart& part);

/// Reads the run, called `name`, and lets its model score validation and test samples; a bar shows how far it is.
/// Throws Error when the run has no model or its data is gone.
RunEvidence gather_evidence(const std::filesystem::path& folder, const std::string& name);

/// The same of a file of scores; `threshold` counts where the file states none. Throws Error when neither does.
RunEvidence evidence_of_scores(const std::filesystem::path& file, const std::string& name,
                               std::optional<double> threshold);

}  // namespace liven
