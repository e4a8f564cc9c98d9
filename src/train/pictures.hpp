#pragma once

#include <filesystem>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/io/json.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/model_file.hpp"

namespace liven {

/// "print  0.031"
std::string caption_of(const data::Sample& sample, double score);

/// A grid of pictures with their scores: half bona fide, half attacks, mistakes first and framed in red.
void write_faces(const std::filesystem::path& path, const data::Dataset& set, const Scored& scored, double threshold);

/// Pairs of a picture and its cue map, chosen like faces: half bona fide, half attacks. For models whose objective has
/// maps.
void write_cues(const std::filesystem::path& path, const data::Dataset& set, const Scored& scored, Module& model,
                const ModelFileInfo& info);

/// The terms of the loss too, when there is more than one. Loss and accuracy of training and validation over the
/// epochs, as a drawing that scales.
void write_curves(const std::filesystem::path& path, const std::vector<Json>& log);

}  // namespace liven
