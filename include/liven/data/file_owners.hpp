#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>

namespace liven::data {

/// Which of several sets each file belongs to. Sets that are trained and tested against each other may share none: a
/// network would be tested on what it was trained on, and a manifest of both would list a picture twice.
class FileOwners {
public:
    /// Throws Error naming both when another set has the file, however its path is written (links to files are not
    /// followed, those to folders are).
    void add(const std::filesystem::path& file, const std::string& set);

private:
    std::string identity_of(const std::filesystem::path& file);

    std::unordered_map<std::string, std::string> owners_, folders_;
};

}  // namespace liven::data
