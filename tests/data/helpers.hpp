#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "liven/core/philox.hpp"
#include "liven/data/dataset.hpp"
#include "liven/data/image.hpp"
#include "tests/temporary.hpp"

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}
inline void write_bytes(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
    write_bytes(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

/// A smooth colour picture, different for each seed.
inline liven::data::Image picture(int width, int height, uint64_t seed = 0) {
    liven::data::Image image(width, height);
    liven::Random random(seed);
    const int a = static_cast<int>(random.below(200)), b = static_cast<int>(random.below(200)),
              c = static_cast<int>(random.below(200));
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            uint8_t* p = image.at(x, y);
            p[0] = static_cast<uint8_t>((a + 3 * x) % 256);
            p[1] = static_cast<uint8_t>((b + 5 * y) % 256);
            p[2] = static_cast<uint8_t>((c + x + 2 * y) % 256);
        }
    return image;
}

/// A square of one colour.
inline liven::data::Image one_colour(int extent, uint8_t r, uint8_t g, uint8_t b) {
    liven::data::Image image(extent, extent);
    for (size_t i = 0; i < image.pixels.size(); i += 3) {
        image.pixels[i] = r;
        image.pixels[i + 1] = g;
        image.pixels[i + 2] = b;
    }
    return image;
}

inline void write_picture(const std::filesystem::path& path, uint64_t seed = 0, int width = 12, int height = 10) {
    std::filesystem::create_directories(path.parent_path());
    liven::data::write(picture(width, height, seed), path);
}
