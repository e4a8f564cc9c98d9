#pragma once

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "liven/core/error.hpp"

namespace liven::io {

/// Throws Error with the system's words for errno: "log.jsonl: cannot write: No space left on device".
[[noreturn]] inline void throw_errno(const std::filesystem::path& path, std::string_view attempt) {
    const int code = errno;
    throw Error(path.string(), "cannot " + std::string(attempt) + ": " + std::generic_category().message(code));
}

}  // namespace liven::io
