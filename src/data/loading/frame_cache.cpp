#include "src/data/loading/frame_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "liven/core/error.hpp"

namespace liven::data {
namespace {

/// A file without a name: nothing is left behind, however the process ends.
int nameless_file(const std::filesystem::path& folder) {
    int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0) {  // file systems without nameless files
        std::string name = (folder / "liven-cache-XXXXXX").string();
        descriptor = ::mkstemp(name.data());
        if (descriptor >= 0) ::unlink(name.c_str());
    }
    if (descriptor < 0)
        throw Error(folder.string(), std::string("no cache file can be made there: ") + std::strerror(errno));
    return descriptor;
}

}  // namespace

FrameCache::FrameCache(int64_t slots, size_t frame_bytes, size_t limit, const std::filesystem::path& folder)
    : frame_bytes_(frame_bytes) {
    const size_t wanted = static_cast<size_t>(slots) * frame_bytes;
    const bool fits = wanted <= limit;
    slots_ = fits || !folder.empty() ? slots : static_cast<int64_t>(limit / frame_bytes);
    bytes_ = static_cast<size_t>(slots_) * frame_bytes;
    if (bytes_ == 0) return;
    if (fits || folder.empty()) {
        map(-1);
        return;
    }
    const int descriptor = nameless_file(folder);
    // Taking the space now turns a full disk into a message instead of a bus error in the middle of an epoch.
    const int failed = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes_));
    if (failed == 0) map(descriptor);
    ::close(descriptor);
    if (failed != 0)
        throw Error(folder.string(),
                    "no room for a cache of " + std::to_string(bytes_ / 1'000'000) + " MB: " + std::strerror(failed),
                    "choose another folder, or leave it out: pictures are then decoded again every epoch");
}

void FrameCache::map(int descriptor) {
    const int flags = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, flags, descriptor, 0);
    if (memory == MAP_FAILED)
        throw Error("cache", "the system gives no " + std::to_string(bytes_ / 1'000'000) + " MB",
                    "use a smaller cache_bytes");
    base_ = static_cast<uint8_t*>(memory);
}

FrameCache::~FrameCache() {
    if (base_) ::munmap(base_, bytes_);
}

}  // namespace liven::data
