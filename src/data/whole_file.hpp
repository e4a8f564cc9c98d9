#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace liven::data {

/// How the name of a file ends while it is being written.
inline constexpr const char* partial_ending = ".part";

/// A file in the making, under another name in the folder where it is to be: removed again unless it became the file.
/// The disk is not to be filled with halves of files.
class UnfinishedFile {
public:
    /// A link stays a link: its target is what is made. `ending` is for writers that look at it.
    explicit UnfinishedFile(std::filesystem::path path, const std::string& ending = partial_ending);
    UnfinishedFile(const UnfinishedFile&) = delete;
    UnfinishedFile& operator=(const UnfinishedFile&) = delete;
    ~UnfinishedFile();

    /// Where to write it.
    const std::filesystem::path& path() const { return unfinished_; }
    /// Throws Error when it cannot take its place.
    void finish();

private:
    std::filesystem::path path_, unfinished_;
};

/// Writes a file that appears whole or not at all. Throws Error, leaving nothing behind, when it cannot be written.
void write_whole(const std::filesystem::path& path, std::span<const uint8_t> bytes);
void write_whole(const std::filesystem::path& path, std::string_view text);

}  // namespace liven::data
