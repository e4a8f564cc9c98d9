#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "liven/io/json.hpp"

namespace liven {

/// A log of JSON objects, one a line. Each line reaches the system in one write, so a killed process leaves whole
/// lines; what a power cut left unfinished at the end is cut off when the log is opened again.
class JsonLines {
public:
    /// Opens for appending, creates when missing. Throws Error when it cannot be written.
    explicit JsonLines(std::filesystem::path path);
    JsonLines(JsonLines&& other) noexcept;
    JsonLines& operator=(JsonLines&& other) noexcept;
    ~JsonLines();

    const std::filesystem::path& path() const { return path_; }
    /// Throws Error when the disk is full.
    void append(const Json& line);

private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// Each line, an object; an unfinished last one is left out. Throws Error with file and line number for anything else,
/// and for what `see` finds wrong with a line.
void visit_json_lines(const std::filesystem::path& path, const std::function<void(const Json&)>& see);
/// All of them.
std::vector<Json> read_json_lines(const std::filesystem::path& path);

}  // namespace liven
