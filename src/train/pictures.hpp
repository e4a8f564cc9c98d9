#pragma once

#include <filesystem>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/io/json.hpp"
#include "liven/train/evaluate.hpp"

namespace liven {

/// A grid of pictures with their scores: half bona fide, half attacks, mistakes first and framed in red.
void write_faces(const std::filesystem::path& path, const data::Dataset& set, const Scored& scored, double threshold);

/// Loss and accuracy of training and validation over the epochs, as a drawing that scales.
void write_curves(const std::filesystem::path& path, const std::vector<Json>& log);

}  // namespace liven
