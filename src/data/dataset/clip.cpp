#include "liven/data/clip.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/names.hpp"
#include "src/data/parallel.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// All of a video file, or a folder of pictures.
bool is_recording(const Sample& sample) {
    std::error_code code;
    return (sample.frame < 0 && is_video(sample.path)) || fs::is_directory(sample.path, code);
}

/// A recording: its frames, and a sample that says what is known of it.
struct Recording {
    Sample known;
    std::vector<Frame> frames;
    fs::path file;       ///< a video file: its frames are numbers, however many it claims to have
    int64_t length = 0;  ///< of the video file
    std::string reason;  ///< why it cannot be used; empty: it can

    int64_t count() const { return file.empty() ? static_cast<int64_t>(frames.size()) : length; }
    Frame at(int64_t i) const {
        return file.empty() ? frames[static_cast<size_t>(i)] : Frame{.path = file, .number = i, .box = known.box};
    }
};

Recording from_folder(const Sample& sample) {
    Recording recording{.known = sample, .frames = {}, .file = {}, .length = 0, .reason = {}};
    try {
        for (const fs::path& path : list_frames(sample.path))
            recording.frames.push_back({.path = path, .number = -1, .box = sample.box});
    } catch (const Error& error) {
        recording.reason = error.what();
    }
    return recording;
}

/// Pictures become recordings by what they have in common; the order is that of their first pictures.
class Gatherer {
public:
    std::vector<Recording> run(const Dataset& set, Dataset& out) {
        std::error_code code;
        for (const Sample& sample : set.samples) {
            if (!sample.clip.empty())
                out.samples.push_back(sample);
            else if (sample.frame < 0 && is_video(sample.path))
                found_.push_back({.known = sample, .frames = {}, .file = sample.path, .length = 0, .reason = {}});
            else if (fs::is_directory(sample.path, code))
                found_.push_back(from_folder(sample));
            else if (sample.video.empty())
                out.skipped.push_back(sample.path.string() + ": the picture belongs to no video");
            else
                add_picture(sample);
        }
        sort_frames();
        return std::move(found_);
    }

private:
    void add_picture(const Sample& s) {
        const auto [it, fresh] = place_.try_emplace({s.label, s.split, s.dataset, s.subject, s.video}, found_.size());
        if (fresh) found_.push_back({.known = s, .frames = {}, .file = {}, .length = 0, .reason = {}});
        order_[it->second].emplace_back(s.frame,
                                        Frame{.path = s.path, .number = is_video(s.path) ? s.frame : -1, .box = s.box});
    }
    void sort_frames() {
        for (auto& [place, frames] : order_) {
            std::stable_sort(frames.begin(), frames.end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; });
            for (auto& [number, frame] : frames) found_[place].frames.push_back(std::move(frame));
        }
    }

    std::vector<Recording> found_;
    std::map<std::tuple<Label, Split, std::string, std::string, std::string>, size_t> place_;
    std::map<size_t, std::vector<std::pair<int64_t, Frame>>> order_;
};

/// Counts the frames of a video file.
void look_into(Recording& recording) {
    if (recording.file.empty()) return;
    try {
        recording.length = inspect_video(recording.file).frames;
    } catch (const Error& error) {
        recording.reason = error.what();
    }
}

void add_clips(const Recording& recording, const ClipOptions& options, Dataset& out) {
    const std::string name = recording.file.empty() && !recording.known.video.empty()
                                 ? recording.known.video + " (" + recording.known.path.string() + ")"
                                 : recording.known.path.string();
    if (!recording.reason.empty()) {
        out.skipped.push_back(recording.reason);
        return;
    }
    const auto clips = clip_positions(recording.count(), options);
    if (clips.empty())
        out.skipped.push_back(name + ": the recording has " + std::to_string(recording.count()) +
                              " frames, too few for a clip of " + std::to_string(options.frames));
    for (const std::vector<int64_t>& positions : clips) {
        Sample sample = recording.known;
        if (sample.video.empty()) sample.video = recording.known.path.string();
        sample.frame = positions.front();
        for (int64_t at : positions) sample.clip.push_back(recording.at(at));
        out.samples.push_back(std::move(sample));
    }
}

std::vector<int64_t> row_of(int64_t first, int64_t step, int64_t count) {
    std::vector<int64_t> row;
    for (int64_t i = 0; i < count; ++i) row.push_back(first + i * step);
    return row;
}

/// Clips of every recording that gives some, perhaps none; the others are named.
Dataset gathered(const Dataset& set, const ClipOptions& options) {
    options.validate();
    Dataset out{.name = set.name, .samples = {}, .skipped = set.skipped, .warnings = set.warnings};
    std::vector<Recording> recordings = Gatherer().run(set, out);
    parallel_for(
        static_cast<int64_t>(recordings.size()), options.threads,
        [&](int64_t i) { look_into(recordings[static_cast<size_t>(i)]); }, options.progress);
    for (const Recording& recording : recordings) add_clips(recording, options, out);
    return out;
}

}  // namespace

void ClipOptions::validate() const {
    const auto within = [](const char* name, int64_t value, int64_t low, int64_t high) {
        if (value < low || value > high)
            throw Error("clips", std::string("expected ") + name + " from " + std::to_string(low) + " to " +
                                     std::to_string(high) + ", but got " + std::to_string(value));
    };
    within("frames", frames, 1, 1024);
    within("stride", stride, 0, 100'000);
    within("per_video", per_video, 1, 10'000);
    if (!(from >= 0 && from < to && to <= 1)) throw Error("clips", "expected a part with 0 <= from < to <= 1");
}

std::vector<std::vector<int64_t>> clip_positions(int64_t count, const ClipOptions& o) {
    o.validate();
    const int64_t span = o.stride == 0 ? o.frames : (o.frames - 1) * o.stride + 1;
    if (count < span) return {};
    auto first = static_cast<int64_t>(o.from * static_cast<double>(count));
    auto last = static_cast<int64_t>(o.to * static_cast<double>(count));
    if (last - first < span) first = 0, last = count;
    std::vector<std::vector<int64_t>> clips;
    if (o.stride == 0) {
        // All clips together are spread evenly; each takes every so manieth frame of them.
        const int64_t many = std::min(o.per_video, (last - first) / o.frames), all = many * o.frames;
        for (int64_t clip = 0; clip < many; ++clip) {
            std::vector<int64_t> row;
            for (int64_t i = clip; i < all; i += many)
                row.push_back(all == 1 ? (first + last - 1) / 2 : first + (last - first - 1) * i / (all - 1));
            clips.push_back(std::move(row));
        }
        return clips;
    }
    const int64_t room = last - first - span, many = std::min(o.per_video, room + 1);
    for (int64_t clip = 0; clip < many; ++clip)
        clips.push_back(row_of(first + (many == 1 ? room / 2 : room * clip / (many - 1)), o.stride, o.frames));
    return clips;
}

Dataset pictures_of(const Dataset& set, int64_t per_video, int threads) {
    Dataset out{.name = set.name, .samples = {}, .skipped = set.skipped, .warnings = set.warnings};
    Dataset recordings{.name = set.name, .samples = {}, .skipped = {}, .warnings = {}};
    for (const Sample& sample : set.samples)
        (sample.clip.empty() && is_recording(sample) ? recordings : out).samples.push_back(sample);
    if (recordings.samples.empty()) return out;
    const Dataset frames = gathered(recordings, {.frames = 1, .stride = 0, .per_video = per_video, .threads = threads});
    for (Sample sample : frames.samples) {
        sample.path = sample.clip[0].path;
        sample.frame = sample.clip[0].number;
        sample.clip.clear();
        out.samples.push_back(std::move(sample));
    }
    out.skipped.insert(out.skipped.end(), frames.skipped.begin(), frames.skipped.end());
    if (out.samples.empty())
        throw Error(set.name.empty() ? "pictures" : set.name, "no recording gives a frame",
                    "the first one: " + out.skipped.front());
    return out;
}

Image picture_of(const Sample& sample) {
    if (sample.clip.empty()) {
        if (!is_video(sample.path)) return decode(sample.path);
        const int64_t number = sample.frame >= 0 ? sample.frame : inspect_video(sample.path).frames / 2;
        return read_frames(sample.path, {&number, 1})[0];
    }
    const Frame& frame = sample.clip[sample.clip.size() / 2];
    return frame.number < 0 ? decode(frame.path) : read_frames(frame.path, {&frame.number, 1})[0];
}

Dataset clips_of(const Dataset& set, const ClipOptions& options) {
    Dataset out = gathered(set, options);
    if (out.samples.empty())
        throw Error(set.name.empty() ? "clips" : set.name,
                    "no recording gives a clip of " + std::to_string(options.frames) + " frames",
                    out.skipped.empty() ? "there are no recordings" : "the first one: " + out.skipped.front());
    for (const Sample& sample : out.samples)
        if (static_cast<int64_t>(sample.clip.size()) != options.frames)
            throw Error("clips", "a sample is a clip of " + std::to_string(sample.clip.size()) + " frames already");
    return out;
}

}  // namespace liven::data
