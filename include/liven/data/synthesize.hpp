#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "liven/data/dataset.hpp"
#include "liven/data/image.hpp"

/// Synthetic faces, so that everything can be tried without a licensed data set. They say nothing about people: a model
/// that tells these attacks from these faces has learnt a drawing program's idea of paper, screens and masks.
namespace liven::data {

/// `easy` shows every trace of an attack at full strength, `hard` faintly; `mixed` draws the strength for each video.
enum class Difficulty : uint8_t { easy, medium, hard, mixed };
std::string_view name_of(Difficulty difficulty);
/// Throws Error naming the choices.
Difficulty difficulty_from(std::string_view name);

struct SynthesisOptions {
    int subjects = 40;
    int bonafide_videos = 3;  ///< a subject, each with its own light, place, camera and hair of the day
    int attack_videos = 3;    ///< a subject: print, replay, mask in turn
    int frames = 4;           ///< a video
    int size = 256;           ///< pixels of a side, 32 to 1024
    uint64_t seed = 1;
    Difficulty difficulty = Difficulty::mixed;
    bool moving = false;     ///< the frames of a video follow each other as in one; else each is a moment by itself
    bool video = false;      ///< an AVI file (Motion JPEG) a video instead of pictures; they move
    bool png = false;        ///< else JPEG, with a quality that varies in both classes alike
    int threads = 0;         ///< 0: as many as the machine has; the bytes do not depend on it
    bool overwrite = false;  ///< replace another set in the folder
    ProgressCallback progress{};
};

/// Writes pictures or videos and, last, manifest.csv (split by subject) into `folder`, and returns the set. A folder
/// that already holds exactly this set is left as it is. Throws Error when it holds something else, or an option cannot
/// be.
Dataset synthesize(const std::filesystem::path& folder, const SynthesisOptions& options = {});

/// One picture of a set, without a file: video < bonafide_videos is bona fide, the following are attacks.
Image synthesize_frame(const SynthesisOptions& options, int subject, int video, int frame);

}  // namespace liven::data
