#pragma once

#include <span>

#include "liven/report/set_charts.hpp"
#include "run_evidence.hpp"

namespace liven {

/// Every run's model on the test samples of every set that the runs were trained on, at the threshold in its file. A
/// set is what a run's data names, or, where a manifest is made of several data sets, each of them. A test that holds
/// files which the model was trained or chosen on has no value and says so. Models are called by their titles, and by
/// their runs where trainings of one differ in more than seed and data.
report::SetTests test_across(std::span<const RunEvidence> runs);

/// Whether the runs have several sources or targets.
bool cover_several_sets(std::span<const RunEvidence> runs);

}  // namespace liven
