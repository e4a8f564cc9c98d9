#include "src/data/whole_file.hpp"

#include <unistd.h>

#include <fstream>
#include <string>

#include "liven/core/error.hpp"

namespace liven::data {
namespace fs = std::filesystem;

void write_whole(const fs::path& path, std::span<const uint8_t> bytes) {
    std::error_code code;
    const fs::path partial = path.string() + '.' + std::to_string(::getpid()) + partial_ending;
    std::ofstream file(partial, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (file) fs::rename(partial, path, code);
    if (!file || code) {
        std::error_code ignored;
        fs::remove(partial, ignored);
        throw Error(path.string(), "the file cannot be written", "is there space, and may you write there?");
    }
}

}  // namespace liven::data
