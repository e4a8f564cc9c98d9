#pragma once

#include <filesystem>

/// What the system refuses to write, told in one line.
namespace liven {

/// Throws Error with the system's reason (an errno; 0: it gave none) and what can be done about it.
[[noreturn]] void throw_unwritable(const std::filesystem::path& path, int reason);

/// Makes a folder and those above it. Throws Error when that cannot be.
void make_folders(const std::filesystem::path& folder);

/// Throws Error, before there is anything to lose, when nothing of that name can be made: the nearest folder above it
/// that exists may not be written to, or is none.
void require_writable_place(const std::filesystem::path& path);

}  // namespace liven
