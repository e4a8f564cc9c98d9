#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "liven/io/file.hpp"
#include "src/io/errors.hpp"

namespace liven {
namespace {

namespace fs = std::filesystem;

/// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    operator int() const { return value_; }  // NOLINT(google-explicit-constructor): handed to system calls

private:
    int value_;
};

/// The partial file: locked, emptied, filled through a buffer.
class PartialFile final : public OutputFile {
public:
    explicit PartialFile(fs::path path) : path_(std::move(path)), file_(open_locked(path_)) {
        buffer_.reserve(kBuffer);
        if (::ftruncate(file_, 0) != 0) io::throw_errno(path_, "empty");
    }
    PartialFile(const PartialFile&) = delete;
    PartialFile& operator=(const PartialFile&) = delete;
    /// Removes what did not become the target, while the lock is still held.
    ~PartialFile() {
        if (!renamed_) ::unlink(path_.c_str());
    }

    void write(const void* data, size_t bytes) override {
        offset_ += bytes;
        if (buffer_.size() + bytes > kBuffer) drain();
        if (bytes >= kBuffer) return put(static_cast<const char*>(data), bytes);
        const char* from = static_cast<const char*>(data);
        buffer_.insert(buffer_.end(), from, from + bytes);
    }
    uint64_t offset() const override { return offset_; }

    void become(const fs::path& target) {
        drain();
        if (::fsync(file_) != 0) io::throw_errno(path_, "flush");
        if (::rename(path_.c_str(), target.c_str()) != 0) io::throw_errno(target, "replace");
        renamed_ = true;
    }

private:
    static constexpr size_t kBuffer = size_t{256} << 10;

    /// Waits for another writer. What we then hold the lock of may be the finished file of that writer (renamed while
    /// we waited), so the name is looked up again.
    static int open_locked(const fs::path& path) {
        for (;;) {
            const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
            if (file < 0) io::throw_errno(path, "create");
            while (::flock(file, LOCK_EX) != 0 && errno == EINTR) {
            }
            struct stat held {
            }, named{};
            if (::fstat(file, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
                held.st_dev == named.st_dev)
                return file;
            ::close(file);
        }
    }

    void drain() {
        put(buffer_.data(), buffer_.size());
        buffer_.clear();
    }
    void put(const char* from, size_t bytes) {
        while (bytes > 0) {
            const ssize_t done = ::write(file_, from, bytes);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) io::throw_errno(path_, "write");
            from += done;
            bytes -= static_cast<size_t>(done);
        }
    }

    fs::path path_;
    Descriptor file_;
    std::vector<char> buffer_;
    uint64_t offset_ = 0;
    bool renamed_ = false;
};

/// A rename lasts through a power cut only when the folder is flushed too.
void flush_folder(const fs::path& folder) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some file systems cannot flush folders (EINVAL); the rename itself has happened.
    if (descriptor < 0 || (::fsync(descriptor) != 0 && errno != EINVAL)) io::throw_errno(folder, "flush the folder");
}

fs::path resolve(const fs::path& path) {
    if (path.filename().empty()) throw Error(path.string(), "expected the path of a file");
    std::error_code ignored, code;  // a missing file is none of these
    const bool link = fs::is_symlink(path, ignored);
    fs::path target = link ? fs::weakly_canonical(path, code) : path;
    if (code) throw Error(path.string(), "cannot follow the link: " + code.message());
    const fs::file_status status = fs::status(target, ignored);
    if (fs::exists(status) && !fs::is_regular_file(status))
        throw Error(path.string(), "is not a regular file and cannot be replaced");
    return target;
}

}  // namespace

void write_file_atomically(const fs::path& path, const std::function<void(OutputFile&)>& content) {
    const fs::path target = resolve(path);
    fs::path partial = target;
    partial += ".partial";
    {
        PartialFile file(partial);
        content(file);
        file.become(target);
    }
    flush_folder(target.has_parent_path() ? target.parent_path() : fs::path("."));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
    write_file_atomically(path, [content](OutputFile& file) { file.write(content); });
}

}  // namespace liven
