#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "liven/data/image.hpp"

/// Recordings: video files, and folders with one picture a frame.
namespace liven::data {

/// By the ending of its name: .avi, .mp4, .m4v, .mov, .mkv, .webm, .mpg, .mpeg or .wmv, in any case.
bool is_video(const std::filesystem::path& path);

struct VideoInfo {
    int64_t frames = 0;
    int width = 0, height = 0;  ///< as it is shown: turned upright when the file says so
    double rate = 0;            ///< frames a second; 0: the file does not say
};

/// What the file says of itself; a file that does not state its length is read through. Throws Error for what is no
/// video by its first bytes, holds no frame, cannot be decoded or is larger than a picture may be. Nothing but the file
/// of that very name is opened.
VideoInfo inspect_video(const std::filesystem::path& path);

/// Frames by number from 0, in rising order: the n-th that decoding from the start gives, exact for every codec. Each
/// has the size that it was coded in, whatever the file says. Of Motion JPEG, whose frames are pictures by themselves,
/// those before and between are only counted, and their damage is not looked for. Throws Error as `inspect_video` does,
/// and when the video ends, or is damaged, before the last of them.
std::vector<Image> read_frames(const std::filesystem::path& path, std::span<const int64_t> frames);

/// The same one by one, so that few are in memory: `see` gets the place in `frames` and the picture. What came before
/// an end too early has been seen.
void visit_frames(const std::filesystem::path& path, std::span<const int64_t> frames,
                  const std::function<void(size_t, Image&&)>& see);

/// `count` frames from `frame(i)`, all of one size, as Motion JPEG in an AVI file, which needs no codec installed.
/// Throws Error for another ending than .avi, a frame of another size, or when it cannot be written.
void write_video(const std::filesystem::path& path, int64_t count, const std::function<Image(int64_t)>& frame,
                 double rate = 25);

/// The pictures of a folder in the order of the numbers that end their names, then by name. Throws Error when it cannot
/// be read.
std::vector<std::filesystem::path> list_frames(const std::filesystem::path& folder);

}  // namespace liven::data
