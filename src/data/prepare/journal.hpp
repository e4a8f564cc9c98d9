#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "liven/data/prepare.hpp"

namespace liven::data {

/// What became of one sample.
struct Outcome {
    std::string lost_at, reason;  ///< the stage that left it out; empty: none
    std::string detail;           ///< what is worth telling of this one beside the reason
    std::optional<Quality> before, after;
    bool written = false;
    std::optional<Box> box;
    std::vector<Point> landmarks;
    int64_t bytes = 0;  ///< of the picture's file
    uint32_t crc = 0;   ///< of its bytes
};

/// A file in the output folder that tells line by line what is finished, so that a preparation that was stopped at any
/// point goes on. A line that was cut off is dropped. Whoever writes it holds the folder's lock.
class Journal {
public:
    /// Opens or begins it. Throws Error when it tells of another preparation (`fingerprint`), or cannot be written.
    Journal(const std::filesystem::path& folder, const std::string& fingerprint);

    /// By number of the sample, the last word on each.
    const std::map<int64_t, Outcome>& finished() const { return finished_; }
    /// From any thread. Throws Error when the disk is full.
    void add(int64_t sample, const Outcome& outcome);
    /// Removes the file: everything is finished.
    void close();

    /// Of the preparation that the folder's file tells of; nothing when there is none.
    static std::optional<std::string> fingerprint_in(const std::filesystem::path& folder);

    static std::filesystem::path path_in(const std::filesystem::path& folder) { return folder / ".preparing"; }

private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    void read(const std::string& fingerprint);
    void append(const std::string& line);

    std::filesystem::path path_;
    std::unique_ptr<std::FILE, Closer> file_;
    std::map<int64_t, Outcome> finished_;
    std::mutex mutex_;
};

}  // namespace liven::data
