#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "liven/io/file.hpp"
#include "src/io/errors.hpp"

namespace liven {

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
    // Non-blocking, so that a pipe without a writer is refused below instead of waited for.
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) io::throw_errno(path_, "open");
    struct stat status {};
    const bool known = ::fstat(descriptor_, &status) == 0;
    if (!known || !S_ISREG(status.st_mode)) {
        ::close(descriptor_);
        throw Error(path_.string(), "expected a regular file");
    }
    size_ = static_cast<uint64_t>(status.st_size);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_, other.size_);
    return *this;
}

InputFile::~InputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(uint64_t offset, void* target, size_t bytes) const {
    constexpr size_t kMost = size_t{1} << 30;  // what one system call surely takes
    char* to = static_cast<char*>(target);
    while (bytes > 0) {
        const ssize_t got = ::pread(descriptor_, to, std::min(bytes, kMost), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) io::throw_errno(path_, "read at offset " + std::to_string(offset));
        if (got == 0)
            throw Error(path_.string(),
                        "ends at offset " + std::to_string(offset) + ", but " + std::to_string(bytes) +
                            " more bytes should follow",
                        "the file is truncated");
        offset += static_cast<uint64_t>(got);
        to += got;
        bytes -= static_cast<size_t>(got);
    }
}

std::string read_text_file(const std::filesystem::path& path, uint64_t limit) {
    const InputFile file(path);
    if (file.size() > limit)
        throw Error(path.string(),
                    "has " + std::to_string(file.size()) + " bytes, at most " + std::to_string(limit) + " are read");
    std::string text(file.size(), '\0');
    file.read(0, text.data(), text.size());
    return text;
}

std::string file_state(const std::filesystem::path& path) {
    std::error_code code;
    const auto size = std::filesystem::file_size(path, code);
    if (code) return "-";
    const auto time = std::filesystem::last_write_time(path, code);
    return code ? "-" : std::to_string(size) + ' ' + std::to_string(time.time_since_epoch().count());
}

}  // namespace liven
