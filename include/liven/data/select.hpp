#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"

/// Choosing samples of a set: for equal classes, for equal sources (Kuznetsov et al. 2026, sections 3.3 and 4.5).
namespace liven::data {

/// Which samples stay, ascending, and what there is to say about it.
struct Selection {
    std::vector<size_t> kept;
    std::vector<std::string> warnings;
};

/// The samples of the larger class with the best `Sample::quality` (unknown: 0; the earlier of equals) until neither
/// class has more than the share `most`, and all of the smaller; each split by itself. A split with one class alone is
/// left as it is, with a warning. Throws Error for a share outside 0.5 to 1.
Selection balance(const Dataset& dataset, double most = 0.52);

/// No source (`Sample::dataset`) with more than about the median of the sources' sizes. What stays of a larger one are
/// whole groups (subjects, else videos, else pictures) drawn by `seed` so that its classes and attack types keep their
/// shares; a source that is one group stays whole, with a warning.
Selection equal_sources(const Dataset& dataset, uint64_t seed = 42);

}  // namespace liven::data
