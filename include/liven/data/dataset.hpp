#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "liven/data/image.hpp"

namespace liven::data {

/// Called with the work done and the work in all, by one thread at a time.
using ProgressCallback = std::function<void(int64_t done, int64_t total)>;

/// Class 0 is bona fide everywhere in Liven.
enum class Label : int32_t { bonafide = 0, attack = 1 };
enum class Split : uint8_t { none, train, val, test };

std::string_view name_of(Label label);
std::string_view name_of(Split split);
/// bonafide, real, live, genuine, client against attack, spoof, fake, imposter, in any case; numbers mean different
/// things in different sets and are refused. Empty when the word is none of them.
std::optional<Label> label_from(std::string_view word);
/// train, training; val, validation, devel, dev, development; test, testing; in any case. Empty when it is none of
/// them.
std::optional<Split> split_from(std::string_view word);

/// A frame of a clip: a picture file, or one frame of a video file.
struct Frame {
    std::filesystem::path path;
    int64_t number = -1;  ///< in the video file, from 0; -1: `path` is a picture
    std::optional<Box> box;
};

/// One picture, or one clip of frames, and what is known about it. Unknown text is empty, an unknown frame -1.
struct Sample {
    std::filesystem::path path;
    Label label = Label::bonafide;
    std::string subject;  ///< whose face it shows
    std::string video;    ///< the recording a frame was taken from
    int64_t frame = -1;
    std::string attack_type;  ///< print, replay, mask, ...
    std::string dataset;
    Split split = Split::none;
    std::optional<Box> box;  ///< the face
    std::string target;      ///< the identity a mask imitates, when it is not the subject
    std::string modality, depth_path, mask_path;
    std::vector<Point> landmarks;   ///< of the face: both eyes, or also the nose and the mouth's corners; left to right
    std::optional<double> quality;  ///< of the picture, 0 to 1 (quality.hpp)
    std::vector<Frame> clip;        ///< empty: a picture, `path`, or frame number `frame` of the video file `path`
};

/// Samples and what was met on the way to them.
struct Dataset {
    std::string name{};
    std::vector<Sample> samples{};
    std::vector<std::string> skipped{};   ///< files that are no pictures, folders that cannot be read
    std::vector<std::string> warnings{};  ///< one sentence each

    int64_t size() const { return static_cast<int64_t>(samples.size()); }
    int64_t count(Label label) const;
    int64_t count(Split split) const;
    /// The samples of one split, in order.
    Dataset only(Split split) const;
};

/// A manifest (a file, or a folder that holds manifest.csv) or a folder of classes. Throws Error when it is neither.
Dataset open_dataset(const std::filesystem::path& path);

}  // namespace liven::data
