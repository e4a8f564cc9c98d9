#include "src/core/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "liven/core/error.hpp"
#include "src/core/writing.hpp"

namespace liven {

FolderLock::FolderLock(const std::filesystem::path& folder, Wait wait, const std::string& file) {
    make_folders(folder);
    descriptor_ = ::open((folder / file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor_ < 0) throw_unwritable(folder, errno);
    const int operation = LOCK_EX | (wait == Wait::no ? LOCK_NB : 0);
    while (::flock(descriptor_, operation) != 0) {
        if (errno == EINTR) continue;
        ::close(descriptor_);
        throw Error(folder.string(), "another process is at work here", "wait for it, or choose another folder");
    }
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace liven
