#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "liven/data/dataset.hpp"

/// Published face anti-spoofing data sets, from the layout in which their authors give them out to a manifest.
namespace liven::data {

struct ImportOptions {
    /// Where pictures go that an adapter has to write (out of HDF5): below `frames` and `depth` of this folder.
    std::filesystem::path output{};
    /// One of the importer's protocols. Empty: its first. "none": no splits, to divide the set by subject instead.
    std::string protocol{};
    /// Frames of each recording, spread evenly between 15 % and 85 % of its length. 0: one row a video file, for clips;
    /// every frame where recordings are pictures or HDF5.
    int64_t frames = 10;
    /// Decodes the frames that are listed, so that a video that ends early is left out now and not met in training.
    bool verify = false;
    int threads = 0;  ///< 0: as many as the machine has
    ProgressCallback progress{};

    /// Throws Error naming the field that cannot be.
    void validate() const;
};

/// How one data set is read.
struct Importer {
    std::string_view name;       ///< as it is asked for: "replay-attack"
    std::string_view title;      ///< "Replay-Attack"
    std::string_view citation;   ///< the paper that introduced it
    std::string_view layout;     ///< what SOURCE is expected to hold
    std::string_view protocols;  ///< separated by spaces, the default first; empty: it has none
    /// Rows in the order of the files; subject, video, attack type, split and box as far as the set knows them. What
    /// cannot be used is named in `skipped` with the reason. Throws Error when the layout is another one.
    Dataset (*read)(const std::filesystem::path& source, const ImportOptions& options);
};

/// All of them, by name.
std::span<const Importer* const> importers();
/// Throws Error with the names there are.
const Importer& find_importer(std::string_view name);

/// Reads `source` as the importer says. Throws Error for a layout or protocol it does not know, and when nothing usable
/// is found.
Dataset import_dataset(const Importer& importer, const std::filesystem::path& source,
                       const ImportOptions& options = {});

}  // namespace liven::data
