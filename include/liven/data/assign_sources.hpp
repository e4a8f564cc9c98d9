#pragma once

#include <map>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"

/// Whole sources as training, validation and test sets, as papers that combine data sets have them.
namespace liven::data {

/// What becomes a split: "casia-fasd", all of a source, or "casia-fasd/test", what the source itself has for that.
struct SourceAssignment {
    std::vector<std::string> train{}, val{}, test{};
};

/// One set of all samples that are assigned; others are left out, with a warning that counts them. A sample keeps its
/// `dataset`, by which `find_leaks` knows people that two sources have in common, and without one gets the source's
/// name. Throws Error for a source that is not there, a part it does not have, one that is assigned twice, or a file
/// that two sources have.
Dataset assign_sources(const std::map<std::string, Dataset>& sources, const SourceAssignment& assignment);

}  // namespace liven::data
