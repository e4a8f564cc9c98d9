#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/data/sheet.hpp"
#include "liven/explain/methods.hpp"
#include "liven/nn/objective.hpp"
#include "liven/train/model_file.hpp"

/// Samples with what a model sees in them, from its file on: preprocessing, threshold, explanation, picture.
namespace liven {

/// One sample explained.
struct Explained {
    double score = 0;
    int64_t decided = 0;                              ///< class, at the model's threshold
    int64_t label = 0;                                ///< class whose evidence is explained
    std::vector<data::Image> frames;                  ///< what the network saw; one, or a clip's
    std::vector<saliency::Explanation> explanations;  ///< in the order asked for
};

class Explainer {
public:
    struct Options {
        std::vector<saliency::Method> methods{saliency::Method::grad_cam};
        std::optional<int64_t> label = {};  ///< 0 bona fide, 1 attack; none: the class decided on
        std::string layer = {};
        int64_t patch = 0, stride = 0;
    };
    /// The model must outlive the explainer.
    Explainer(LoadedModel& model, Options options);

    /// A picture, or a clip for a model of clips. Throws Error when it cannot be read, or as the methods do.
    Explained operator()(const data::Sample& sample);

private:
    LoadedModel& model_;
    Options options_;
    std::unique_ptr<Objective> objective_;
};

/// What the network saw of one frame, and an overlay for each method, with words below. The strongest place of all
/// frames has the end of the scale.
std::vector<data::SheetTile> tiles_of(const Explained& explained, size_t frame, const std::string& name,
                                      const ModelFileInfo& info);
/// A row of a sheet for each frame.
void add_rows(data::Sheet& sheet, const Explained& explained, const std::string& name, const ModelFileInfo& info);

}  // namespace liven
