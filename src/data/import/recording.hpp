#pragma once

#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/data/import.hpp"

namespace liven::data {

/// A face in a frame; eyes where the set tells them.
struct TrackedFace {
    Box box;
    std::vector<Point> eyes{};
};
/// The face in the frames of a recording, as far as it was found.
using FaceTrack = std::map<int64_t, TrackedFace>;

/// One recording and what is known about all of its frames. `known.path` is a video file or a folder of pictures.
struct SourceRecording {
    Sample known{};
    /// Read when the recording is, so that a broken list costs one recording.
    std::filesystem::path faces{};
    FaceTrack (*read_faces)(const std::filesystem::path& file) = nullptr;
};

/// Which of `count` frames are taken: evenly between 15 % and 85 % of the length, all when there are fewer or `frames`
/// is 0.
std::vector<int64_t> sampled_frames(int64_t count, int64_t frames);

/// Adds the rows of the recordings, in their order. What cannot be read goes to `out.skipped` with the reason; boxes
/// beside the picture are left out and counted in `out.warnings`.
void add_recordings(const std::vector<SourceRecording>& recordings, const ImportOptions& options, Dataset& out);

/// The box of the frame, or of the nearest within 10 frames: detectors miss some, and a face moves little in a third
/// of a second.
std::optional<TrackedFace> face_at(const FaceTrack& track, int64_t frame);

/// Lines "frame x y width height"; frames without a face have a size of 0.
FaceTrack read_box_lines(const std::filesystem::path& file);
/// Lines "frame left top right bottom ...".
FaceTrack read_corner_lines(const std::filesystem::path& file);
/// Lines "frame x y x y" with the two eyes.
FaceTrack read_eye_lines(const std::filesystem::path& file);

/// From 1.0 eye distances left and right of the middle between the eyes, and 0.7 above to 1.7 below it: the bounding
/// box of bob.ip.facedetect's eye annotations. Empty when the eyes are one point.
std::optional<Box> box_from_eyes(double x1, double y1, double x2, double y2);
/// The same with the eyes as landmarks, the left one in the picture first.
std::optional<TrackedFace> face_from_eyes(double x1, double y1, double x2, double y2);

/// True when some of the box lies in the picture.
bool touches(const Box& box, int64_t width, int64_t height);

/// "SOURCE/a/b.avi: the video is damaged" without doubling the name.
std::string skipped_line(const std::string& name, const std::exception& error);
/// A note for `warnings` when `count` is not 0.
void warn_of(Dataset& out, int64_t count, const std::string& what);

}  // namespace liven::data
