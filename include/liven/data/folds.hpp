#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "liven/data/split.hpp"

/// Divisions beyond one training, validation and test set: k folds, and an attack nobody has trained on.
namespace liven::data {

/// The fold, from 0, of every sample. Groups (`options.group_by`) stay whole; data sets, classes and attack types are
/// spread as evenly as groups allow; splits in the data are not looked at. Throws Error for fewer than 2 folds and for
/// fewer groups than folds.
std::vector<int64_t> draw_folds(const Dataset& dataset, int64_t folds, const SplitOptions& options = {});

/// Fold `fold` becomes the test set, `options.validation` of the groups of the others the validation set. Throws Error
/// as `assign_splits` does, and when `folds` is not of the data's size or there is no such fold.
SplitRecord test_on_fold(Dataset& dataset, std::span<const int64_t> folds, int64_t fold,
                         const SplitOptions& options = {});

/// The names of the attacks, sorted.
std::vector<std::string> attack_types(const Dataset& dataset);

/// A divided set without the attack `type` in training and validation, and without the others in testing: both who and
/// what is tested are new. Throws Error when no attack remains on a side, naming the types there are.
Dataset leave_attack_out(const Dataset& dataset, const std::string& type);

}  // namespace liven::data
