#include "src/io/append.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "src/core/writing.hpp"

namespace liven::io {

void append_whole(int descriptor, const std::filesystem::path& path, std::string_view bytes) {
    ssize_t done = 0;
    do done = ::write(descriptor, bytes.data(), bytes.size());
    while (done < 0 && errno == EINTR);
    if (done == static_cast<ssize_t>(bytes.size())) return;
    if (done < 0) throw_unwritable(path, errno);
    // A part was written: the disk is full. Take it back, so that the file stays whole.
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && ::ftruncate(descriptor, status.st_size - done) == 0) errno = ENOSPC;
    throw_unwritable(path, errno);
}

}  // namespace liven::io
