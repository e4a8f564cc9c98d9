#pragma once

#include <filesystem>
#include <string>

namespace liven {

/// A file in a folder, held by one process at a time and let go when it ends, in whatever way. The file stays: removed,
/// it could be held twice.
class FolderLock {
public:
    enum class Wait : bool { no, yes };
    /// Makes the folder. Throws Error when another process holds it and `wait` is no, or it cannot be written.
    FolderLock(const std::filesystem::path& folder, Wait wait, const std::string& file = "lock");
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

private:
    int descriptor_ = -1;
};

}  // namespace liven
