#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "liven/data/dataset.hpp"

namespace liven::data {

/// The folder that a preparation fills: images/, manifest.csv, report.json, a lock and, while it goes on, a
/// journal.
class OutputFolder {
public:
    explicit OutputFolder(const std::filesystem::path& folder);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path manifest() const { return path_ / "manifest.csv"; }
    std::filesystem::path report() const { return path_ / "report.json"; }
    /// Where the picture of sample number `number` goes.
    std::filesystem::path picture(size_t number, const Sample& sample, bool jpeg) const;

    /// Whether it holds this preparation, finished and tidied up; changes nothing. Throws Error when it holds another
    /// and may not be replaced, or something that is no preparation.
    bool is_finished(const std::string& fingerprint, bool overwrite) const;
    /// The same for whoever has locked it: with `overwrite` another preparation is removed, and so is the journal of
    /// one that is finished.
    bool holds(const std::string& fingerprint, bool overwrite) const;
    /// Makes the folders that pictures go to.
    void make() const;
    /// Removes what a killed process left of pictures being written.
    void remove_partial_files() const;

private:
    /// Nothing or a part of this preparation; this preparation, finished; another one.
    enum class Content : uint8_t { open, finished, another };

    Content content(const std::string& fingerprint, bool overwrite) const;
    std::string finished_fingerprint() const;
    bool begun() const;
    void clear() const;

    std::filesystem::path path_;
};

}  // namespace liven::data
