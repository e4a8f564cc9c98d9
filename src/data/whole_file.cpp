#include "src/data/whole_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <utility>

#include "src/core/writing.hpp"

namespace liven::data {
namespace fs = std::filesystem;

namespace {

fs::path behind_link(fs::path path) {
    std::error_code code;
    if (!fs::is_symlink(path, code)) return path;
    fs::path target = fs::weakly_canonical(path, code);
    if (code) throw_unwritable(path, code.value());
    return target;
}

}  // namespace

UnfinishedFile::UnfinishedFile(fs::path path, const std::string& ending)
    : path_(behind_link(std::move(path))), unfinished_(path_.string() + '.' + std::to_string(::getpid()) + ending) {}

UnfinishedFile::~UnfinishedFile() {
    std::error_code ignored;
    if (!unfinished_.empty()) fs::remove(unfinished_, ignored);
}

void UnfinishedFile::finish() {
    std::error_code code;
    fs::rename(unfinished_, path_, code);
    if (code) throw_unwritable(path_, code.value());
    unfinished_.clear();
}

void write_whole(const fs::path& path, std::span<const uint8_t> bytes) {
    UnfinishedFile file(path);
    errno = 0;
    std::ofstream stream(file.path(), std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) throw_unwritable(path, errno);
    file.finish();
}

void write_whole(const fs::path& path, std::string_view text) {
    write_whole(path, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

}  // namespace liven::data
