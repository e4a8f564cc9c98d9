#include "src/data/import/picture_size.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

namespace liven::data {
namespace {

int64_t big_endian(std::string_view bytes, size_t at, size_t count) {
    int64_t value = 0;
    for (size_t i = 0; i < count && at + i < bytes.size(); ++i)
        value = value * 256 + static_cast<unsigned char>(bytes[at + i]);
    return value;
}

/// Walks the segments to the frame header (SOF0 to SOF15 without DHT, JPG and DAC).
std::pair<int64_t, int64_t> jpeg_size(std::string_view bytes) {
    for (size_t at = 2; at + 9 < bytes.size();) {
        const int64_t marker = big_endian(bytes, at, 2);
        if (marker < 0xFF00) return {0, 0};
        const bool frame =
            marker >= 0xFFC0 && marker <= 0xFFCF && marker != 0xFFC4 && marker != 0xFFC8 && marker != 0xFFCC;
        if (frame) return {big_endian(bytes, at + 7, 2), big_endian(bytes, at + 5, 2)};
        at += marker == 0xFFFF ? 1 : 2 + static_cast<size_t>(big_endian(bytes, at + 2, 2));
    }
    return {0, 0};
}

}  // namespace

std::pair<int64_t, int64_t> picture_size(const std::filesystem::path& path) {
    constexpr std::streamsize looked_at = 256 * 1024;
    std::string bytes(static_cast<size_t>(looked_at), '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(bytes.data(), looked_at);
    bytes.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    if (bytes.rfind("\x89PNG\r\n", 0) == 0 && bytes.size() >= 24)
        return {big_endian(bytes, 16, 4), big_endian(bytes, 20, 4)};
    if (bytes.rfind("\xff\xd8", 0) == 0) return jpeg_size(bytes);
    return {0, 0};
}

}  // namespace liven::data
