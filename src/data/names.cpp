#include "src/data/names.hpp"

#include <charconv>

#include "src/data/text.hpp"

namespace liven::data {

bool has_image_ending(const std::filesystem::path& path) {
    const std::string ending = lower(path.extension().string());
    for (const char* known : {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".pnm"})
        if (ending == known) return true;
    return false;
}

std::pair<std::string, int64_t> frame_of(const std::filesystem::path& path) {
    const std::string stem = path.stem().string();
    size_t at = stem.size();
    while (at > 0 && stem[at - 1] >= '0' && stem[at - 1] <= '9') --at;
    int64_t frame = -1;
    const auto [end, error] = std::from_chars(stem.data() + at, stem.data() + stem.size(), frame);
    if (error != std::errc()) return {stem, -1};
    std::string before = stem.substr(0, at);
    while (!before.empty() && (before.back() == '_' || before.back() == '-' || before.back() == '.')) before.pop_back();
    return {before, frame};
}

}  // namespace liven::data
