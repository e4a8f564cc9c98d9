#pragma once

#include <filesystem>
#include <string>

#include "liven/data/dataset.hpp"

namespace liven::protocol {

/// What is done in a folder that may have been begun already.
struct Undertaking {
    std::string what;            ///< "search"
    std::string settings;        ///< as text
    std::string pretrained;      ///< file of weights, empty: none
    std::filesystem::path file;  ///< in the folder, keeps the settings and what tells data and weights apart
};

/// Writes OUT/data.csv and the undertaking's file, and returns the former. Throws Error, and leaves both files, when
/// OUT was begun with other settings, data or pretrained weights.
std::filesystem::path begin_or_go_on(const data::Dataset& set, const Undertaking& asked,
                                     const std::filesystem::path& out);

}  // namespace liven::protocol
