#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "src/core/writing.hpp"

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

/// The partial file of a target: locked, emptied, filled through a buffer. Errors are told of the target, which the
/// user knows.
class PartialFile final : public OutputFile {
public:
    explicit PartialFile(fs::path target)
        : target_(std::move(target)), path_(target_.string() + ".partial"), file_(open_locked(path_, target_)) {
        buffer_.reserve(kBuffer);
        if (::ftruncate(file_, 0) != 0) throw_unwritable(target_, errno);
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

    void become_target() {
        drain();
        if (::fsync(file_) != 0) throw_unwritable(target_, errno);
        if (::rename(path_.c_str(), target_.c_str()) != 0) throw_unwritable(target_, errno);
        renamed_ = true;
    }

private:
    static constexpr size_t kBuffer = size_t{256} << 10;

    /// Waits for another writer. What we then hold the lock of may be the finished file of that writer (renamed while
    /// we waited), so the name is looked up again.
    static int open_locked(const fs::path& path, const fs::path& target) {
        for (;;) {
            const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
            // Of a folder or a link the user is told by its own name: it is in the way.
            if (file < 0) throw_unwritable(errno == EISDIR || errno == ELOOP ? path : target, errno);
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
            if (done < 0) throw_unwritable(target_, errno);
            from += done;
            bytes -= static_cast<size_t>(done);
        }
    }

    fs::path target_, path_;
    Descriptor file_;
    std::vector<char> buffer_;
    uint64_t offset_ = 0;
    bool renamed_ = false;
};

/// A rename lasts through a power cut only when the folder is flushed too.
void flush_folder(const fs::path& folder) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some file systems cannot flush folders (EINVAL); the rename itself has happened.
    if (descriptor < 0 || (::fsync(descriptor) != 0 && errno != EINVAL)) throw_unwritable(folder, errno);
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
    {
        PartialFile file(target);
        content(file);
        file.become_target();
    }
    flush_folder(target.has_parent_path() ? target.parent_path() : fs::path("."));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
    write_file_atomically(path, [content](OutputFile& file) { file.write(content); });
}

}  // namespace liven
