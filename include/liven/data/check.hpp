#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/data/split.hpp"

namespace liven::data {

/// A file that cannot be used, and why.
struct BrokenFile {
    std::string path, reason;

    /// "path: reason"; the path stands once, though reasons often begin with it.
    std::string str() const { return reason.rfind(path, 0) == 0 ? reason : path + ": " + reason; }
};

/// Files with the same bytes. Different labels, or different splits, make it a fault rather than a waste.
struct Duplicates {
    std::vector<std::string> paths;
    bool labels_differ = false;
    bool splits_differ = false;
};

struct ClassCounts {
    int64_t bonafide = 0, attack = 0;
    int64_t total() const { return bonafide + attack; }
};

/// What `liven data check` prints.
struct CheckReport {
    std::string name;
    int64_t samples = 0, bytes = 0;
    ClassCounts classes{};
    std::map<std::string, ClassCounts> subjects, videos, splits, datasets;
    std::map<std::string, int64_t> attack_types;
    std::map<std::string, int64_t> sizes;  ///< "640x480"; readable pictures only
    std::vector<BrokenFile> broken;
    std::vector<Duplicates> duplicates;
    std::vector<Leak> leaks;
    std::vector<std::string> skipped, warnings;

    /// Nothing that should stop a training: no broken file, no leak, no duplicate across labels or splits, both classes
    /// there.
    bool clean() const;
    std::string to_json() const;
};

/// A table for people; long lists are cut after `CheckOptions::listed` lines and say so.
std::ostream& operator<<(std::ostream& out, const CheckReport& report);

struct CheckOptions {
    int threads = 0;  ///< 0: as many as the machine has
    ProgressCallback progress{};
};

/// Decodes every file, so that what it calls readable is readable.
CheckReport check(const Dataset& dataset, const CheckOptions& options = {});

}  // namespace liven::data
