#include "src/core/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "liven/core/error.hpp"

namespace liven {

FolderLock::FolderLock(const std::filesystem::path& folder, Wait wait, const std::string& file) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    descriptor_ = ::open((folder / file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor_ < 0)
        throw Error(folder.string(), "the folder cannot be written", "is there space, and may you write there?");
    const int operation = LOCK_EX | (wait == Wait::no ? LOCK_NB : 0);
    while (::flock(descriptor_, operation) != 0) {
        if (errno == EINTR) continue;
        ::close(descriptor_);
        throw Error(folder.string(), "another process is at work here", "wait for it, or choose another folder");
    }
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace liven
