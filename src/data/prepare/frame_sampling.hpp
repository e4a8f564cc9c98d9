#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"

namespace liven::data {

/// Which frames of a recording of that length: every `every`-th between 15 % and 85 % of it (of all of it when there is
/// none between), or with `every` 0 `frames` of them spread evenly over that part, all with both 0.
std::vector<int64_t> chosen_frames(int64_t length, int64_t frames, int64_t every);

/// A set whose recordings have become frames.
struct SampledFrames {
    std::vector<Sample> samples;
    std::vector<std::string> unread;   ///< recordings that cannot be used, with the reason
    std::vector<Sample> lost;          ///< those recordings, and listed frames that sampling passed over
    std::vector<std::string> reasons;  ///< of each lost one
};

/// Whole videos and folders become frames in order; with `every`, pictures that share a recording are thinned out. A
/// frame of a file whose recording has no name gets the file's, without what all paths have in common.
SampledFrames sample_frames(const Dataset& dataset, int64_t frames, int64_t every, int threads);

}  // namespace liven::data
