#pragma once

#include <cstdint>

#include "liven/data/dataset.hpp"

/// Clips: a few frames of one recording, seen together.
namespace liven::data {

struct ClipOptions {
    int64_t frames = 5;
    /// Frames from one of a clip to its next: 1 takes consecutive ones, 0 spreads them evenly over the part.
    int64_t stride = 1;
    int64_t per_video = 1;          ///< clips of one recording, spread evenly over the part
    double from = 0.15, to = 0.85;  ///< the part of the recording, as shares of its length; all of it when it is short
    int threads = 0;                ///< that look into video files; 0: as many as the machine has
    ProgressCallback progress{};

    /// Throws Error naming the field that cannot be.
    void validate() const;
};

/// A data set with one sample a clip (`Sample::clip`) from one of recordings: a sample whose path is a video file or a
/// folder of pictures is one; pictures that share label, data set, subject and `video` are the frames of one, in the
/// order of their `frame`. Recordings that cannot be read or are too short, and pictures of no video, are named in
/// `skipped` with the reason; nothing is repeated to fill a clip. Throws Error when no clip is left.
Dataset clips_of(const Dataset& recordings, const ClipOptions& options = {});

/// A data set for models of single pictures: recordings (video files and folders of pictures) give `per_video` frames,
/// spread evenly over 15 to 85 % of them; pictures stay as they are. A recording without a
/// `video` is named by its path, here and in clips_of. Recordings that give none are named in `skipped`.
Dataset pictures_of(const Dataset& recordings, int64_t per_video, int threads = 0);

/// One picture of a sample: its own, or the frame in the middle of its clip. Throws Error when it cannot be read.
Image picture_of(const Sample& sample);

/// Which of `count` frames make the clips: one row of rising numbers a clip, none when there are too few.
std::vector<std::vector<int64_t>> clip_positions(int64_t count, const ClipOptions& options);

}  // namespace liven::data
