#include "src/core/writing.hpp"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "liven/core/error.hpp"

namespace liven {
namespace {

namespace fs = std::filesystem;

const char* remedy_for(int reason) {
    switch (reason) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return "make room, or choose another place";
        case EACCES:
        case EPERM:
        case EROFS:
            return "choose a place where you may write, or change its rights";
        case 0:
            return "is there space, and may you write there?";
        default:
            return "";
    }
}

}  // namespace

void throw_unwritable(const fs::path& path, int reason) {
    throw Error(path.string(),
                reason == 0 ? std::string("cannot be written")
                            : "cannot be written: " + std::generic_category().message(reason),
                remedy_for(reason));
}

void make_folders(const fs::path& folder) {
    if (folder.empty()) return;
    std::error_code code;
    fs::create_directories(folder, code);
    if (code) throw_unwritable(folder, code.value());
}

void require_writable_place(const fs::path& path) {
    std::error_code code;
    fs::path above = fs::absolute(path, code).lexically_normal();
    if (!above.has_filename()) above = above.parent_path();  // it ended in a slash
    do above = above.parent_path();
    while (above.has_relative_path() && !fs::exists(above, code));
    if (::access(above.c_str(), W_OK | X_OK) != 0) throw_unwritable(path, errno);
    if (!fs::is_directory(above, code)) throw_unwritable(path, ENOTDIR);
}

}  // namespace liven
