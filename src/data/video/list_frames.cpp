#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/names.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;

std::vector<fs::path> list_frames(const fs::path& folder) {
    std::vector<std::pair<int64_t, fs::path>> numbered;
    std::error_code code;
    for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
        if (has_image_ending(it->path()) && it->path().filename().string()[0] != '.')
            numbered.emplace_back(frame_of(it->path()).second, it->path());
    if (code) throw Error(folder.string(), "the folder cannot be read: " + code.message());
    std::sort(numbered.begin(), numbered.end());
    std::vector<fs::path> out;
    for (auto& [number, path] : numbered) out.push_back(std::move(path));
    return out;
}

}  // namespace liven::data
