#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"

/// Dividing a set so that nobody is trained on and tested on: frames of one video and pictures of one subject stay
/// together.
namespace liven::data {

/// What must stay together. `automatic`: the subject, else the video, else (with a warning) each picture by itself.
enum class GroupBy : uint8_t { automatic, subject, video, image };
std::string_view name_of(GroupBy group_by);
/// Throws Error when it is none of them.
GroupBy group_by_from(std::string_view name);

struct SplitOptions {
    double test = 0.20;        ///< share of all samples
    double validation = 0.15;  ///< share of what the test set leaves
    uint64_t seed = 42;
    GroupBy group_by = GroupBy::automatic;
    /// A reason turns the refusal of a leaking manifest into a record of it (NUAA's official split shares subjects).
    std::string allow_leak{};
};

/// A subject or video with samples in more than one split.
struct Leak {
    std::string group;  ///< "subject 0001", "video 12/a"
    int64_t train = 0, val = 0, test = 0;
};

/// How a set was divided: goes into the model file and every report.
struct SplitRecord {
    bool given = false;  ///< the manifest said so; else drawn
    GroupBy group_by = GroupBy::automatic;
    uint64_t seed = 0;
    int64_t groups = 0;
    int64_t train = 0, val = 0, test = 0;
    std::string leak_reason;  ///< empty: no leak
    std::vector<Leak> leaks;
    std::vector<std::string> warnings;

    std::string to_json() const;
    /// Throws Error when the text is not what to_json makes.
    static SplitRecord from_json(std::string_view text);
};

/// Subjects (attacked identities included) and videos that lie in more than one split, by name.
std::vector<Leak> find_leaks(const Dataset& dataset);

/// Samples that are divided one by one, since they have no subject or video. Those of image are all.
int64_t count_ungrouped(const Dataset& dataset, GroupBy by);

/// Fills `split` of every sample. Splits given in the data are kept (validation is cut from train when there is none);
/// splits drawn are stratified by data set, class and attack type as far as whole groups allow. Throws Error when given
/// splits leak and `allow_leak` is empty, when only some samples have a split, or when there are too few groups to
/// divide.
SplitRecord assign_splits(Dataset& dataset, const SplitOptions& options = {});

}  // namespace liven::data
