#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace liven {

/// A file open for reading, at any offset. What it promised when opened, its size, is what reading checks against:
/// a file that shrinks meanwhile is an Error, never a signal, which is why files are not mapped here.
class InputFile {
public:
    /// Throws Error when the file is missing, unreadable or not a regular file.
    explicit InputFile(std::filesystem::path path);
    InputFile(InputFile&& other) noexcept;
    InputFile& operator=(InputFile&& other) noexcept;
    ~InputFile();

    const std::filesystem::path& path() const { return path_; }
    uint64_t size() const { return size_; }
    /// Reads exactly `bytes` at `offset`. Throws Error with both when the file ends before.
    void read(uint64_t offset, void* target, size_t bytes) const;

private:
    std::filesystem::path path_;
    int descriptor_ = -1;
    uint64_t size_ = 0;
};

/// Where a file being written takes its bytes.
class OutputFile {
public:
    virtual void write(const void* data, size_t bytes) = 0;
    void write(std::string_view text) { write(text.data(), text.size()); }
    /// Bytes written so far.
    virtual uint64_t offset() const = 0;

protected:
    ~OutputFile() = default;
};

/// Replaces or creates a file so that a reader, or a crash at any moment, finds the old bytes or the new ones, never
/// a part: `content` writes `<path>.partial`, which is flushed to the disk and renamed, and the folder is flushed. Two
/// writers of one path wait for each other; what a killed writer left is overwritten by the next.
/// A symbolic link stays a link, its target is replaced. Throws Error, and leaves the old file, when anything fails.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(OutputFile&)>& content);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// The whole file. Throws Error when it cannot be read or is larger than `limit` bytes.
std::string read_text_file(const std::filesystem::path& path, uint64_t limit = uint64_t{64} << 20);

/// Size and time of change, which tell a file from one that has replaced it; "-" where there is none.
std::string file_state(const std::filesystem::path& path);

}  // namespace liven
