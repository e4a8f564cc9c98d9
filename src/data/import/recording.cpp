#include "src/data/import/recording.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "liven/core/error.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/video.hpp"
#include "src/data/import/tree.hpp"
#include "src/data/parallel.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// The rows of one recording, or why there are none.
struct Rows {
    std::vector<Sample> samples;
    std::string reason;
    int64_t boxes_missed = 0;
};

void add_pictures(const SourceRecording& recording, const ImportOptions& options, Rows& rows) {
    const std::vector<fs::path> pictures = list_frames(recording.known.path);
    if (pictures.empty()) throw Error(recording.known.path.string(), "the folder holds no picture");
    for (int64_t at : sampled_frames(static_cast<int64_t>(pictures.size()), options.frames)) {
        Sample sample = recording.known;
        sample.path = pictures[static_cast<size_t>(at)];
        sample.frame = at;
        rows.samples.push_back(std::move(sample));
    }
}

void add_video_frames(const SourceRecording& recording, const ImportOptions& options, Rows& rows) {
    const VideoInfo info = inspect_video(recording.known.path);
    if (options.frames == 0) {
        rows.samples.push_back(recording.known);
        return;
    }
    const std::vector<int64_t> frames = sampled_frames(info.frames, options.frames);
    if (options.verify) read_frames(recording.known.path, frames);
    std::error_code code;
    FaceTrack track;
    if (recording.read_faces && fs::exists(recording.faces, code)) track = recording.read_faces(recording.faces);
    for (int64_t frame : frames) {
        Sample sample = recording.known;
        sample.frame = frame;
        if (auto face = face_at(track, frame)) {
            sample.box = face->box;
            sample.landmarks = std::move(face->eyes);
        }
        if (sample.box && !touches(*sample.box, info.width, info.height)) {
            sample.box.reset();
            sample.landmarks.clear();
            ++rows.boxes_missed;
        }
        rows.samples.push_back(std::move(sample));
    }
}

FaceTrack read_track(const fs::path& file, size_t fields,
                     std::optional<TrackedFace> (*face_of)(const std::vector<double>&)) {
    FaceTrack track;
    for (const std::string& line : lines_of(file)) {
        const std::vector<double> v = numbers_of(line);
        if (v.size() < fields || v[0] < 0 || v[0] > 1e9)
            throw Error(file.string(), "expected lines of a frame and " + std::to_string(fields - 1) +
                                           " numbers, but got " + in_quotes(line));
        const auto face = face_of(v);
        if (face && face->box.width > 0 && face->box.height > 0) track[static_cast<int64_t>(v[0])] = *face;
    }
    return track;
}

Box box_of_corners(double left, double top, double right, double bottom) {
    return {static_cast<float>(left), static_cast<float>(top), static_cast<float>(right - left),
            static_cast<float>(bottom - top)};
}

}  // namespace

std::vector<int64_t> sampled_frames(int64_t count, int64_t frames) {
    if (count < 1) return {};
    if (frames == 0 || frames >= count) {
        std::vector<int64_t> all(static_cast<size_t>(count));
        for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
        return all;
    }
    return clip_positions(count, {.frames = frames, .stride = 0}).at(0);
}

void add_recordings(const std::vector<SourceRecording>& recordings, const ImportOptions& options, Dataset& out) {
    std::vector<Rows> rows(recordings.size());
    parallel_for(
        static_cast<int64_t>(recordings.size()), options.threads,
        [&](int64_t i) {
            const SourceRecording& recording = recordings[static_cast<size_t>(i)];
            Rows& row = rows[static_cast<size_t>(i)];
            try {
                std::error_code code;
                if (fs::is_directory(recording.known.path, code))
                    add_pictures(recording, options, row);
                else
                    add_video_frames(recording, options, row);
            } catch (const Error& error) {
                row.samples.clear();
                row.reason = skipped_line(recording.known.path.string(), error);
            }
        },
        options.progress);
    int64_t missed = 0;
    for (Rows& row : rows) {
        missed += row.boxes_missed;
        if (!row.reason.empty()) out.skipped.push_back(std::move(row.reason));
        std::move(row.samples.begin(), row.samples.end(), std::back_inserter(out.samples));
    }
    warn_of(out, missed, "face boxes lie beside their picture and are left out");
}

std::optional<TrackedFace> face_at(const FaceTrack& track, int64_t frame) {
    constexpr int64_t reach = 10;
    auto best = track.lower_bound(frame);
    if (best != track.begin()) {
        const auto before = std::prev(best);
        if (best == track.end() || frame - before->first < best->first - frame) best = before;
    }
    if (best == track.end() || std::abs(best->first - frame) > reach) return {};
    return best->second;
}

FaceTrack read_box_lines(const fs::path& file) {
    return read_track(file, 5, [](const std::vector<double>& v) -> std::optional<TrackedFace> {
        return TrackedFace{box_of_corners(v[1], v[2], v[1] + v[3], v[2] + v[4])};
    });
}

FaceTrack read_corner_lines(const fs::path& file) {
    return read_track(file, 5, [](const std::vector<double>& v) -> std::optional<TrackedFace> {
        return TrackedFace{box_of_corners(v[1], v[2], v[3], v[4])};
    });
}

FaceTrack read_eye_lines(const fs::path& file) {
    return read_track(file, 5, [](const std::vector<double>& v) { return face_from_eyes(v[1], v[2], v[3], v[4]); });
}

std::optional<Box> box_from_eyes(double x1, double y1, double x2, double y2) {
    const double distance = std::hypot(x2 - x1, y2 - y1);
    if (!(distance >= 1) || distance > 1e5) return {};
    const double x = (x1 + x2) / 2, y = (y1 + y2) / 2;
    return box_of_corners(x - distance, y - 0.7 * distance, x + distance, y + 1.7 * distance);
}

std::optional<TrackedFace> face_from_eyes(double x1, double y1, double x2, double y2) {
    const auto box = box_from_eyes(x1, y1, x2, y2);
    if (!box) return {};
    const Point first{static_cast<float>(x1), static_cast<float>(y1)},
        second{static_cast<float>(x2), static_cast<float>(y2)};
    return TrackedFace{*box, first.x <= second.x ? std::vector{first, second} : std::vector{second, first}};
}

bool touches(const Box& box, int64_t width, int64_t height) {
    return box.width > 0 && box.height > 0 && box.x < static_cast<float>(width) && box.y < static_cast<float>(height) &&
           box.x + box.width > 0 && box.y + box.height > 0;
}

std::string skipped_line(const std::string& name, const std::exception& error) {
    const std::string what = error.what();
    return what.rfind(name, 0) == 0 ? what : name + ": " + what;
}

void warn_of(Dataset& out, int64_t count, const std::string& what) {
    if (count > 0) out.warnings.push_back(thousands(count) + ' ' + what);
}

}  // namespace liven::data
