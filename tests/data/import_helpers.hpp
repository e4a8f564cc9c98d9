#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "liven/data/video.hpp"
#include "tests/data/helpers.hpp"

/// `count` frames of 32 x 24 under any name: what a video is stands in its first bytes.
inline void write_clip(const std::filesystem::path& path, int64_t count = 20) {
    namespace fs = std::filesystem;
    fs::create_directories(path.parent_path());
    const fs::path made = path.string() + ".avi";
    liven::data::write_video(made, count, [](int64_t i) { return picture(32, 24, static_cast<uint64_t>(i)); });
    fs::rename(made, path);
}

inline std::set<std::string> types_of(const liven::data::Dataset& set) {
    std::set<std::string> out;
    for (const liven::data::Sample& s : set.samples) out.insert(s.attack_type);
    return out;
}
