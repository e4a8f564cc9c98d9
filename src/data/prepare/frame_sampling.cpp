#include "src/data/prepare/frame_sampling.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <unordered_set>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/names.hpp"
#include "src/data/parallel.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// What one row of the set became.
struct Expanded {
    std::vector<Sample> samples;
    std::string reason;  ///< why there are none
};

/// The folders that all paths have in common.
fs::path common_folder(const std::vector<Sample>& samples) {
    fs::path common = samples.empty() ? fs::path() : samples[0].path.lexically_normal().parent_path();
    for (const Sample& s : samples) {
        const fs::path path = s.path.lexically_normal();
        const auto [end, ignored] = std::mismatch(common.begin(), common.end(), path.begin(), path.end());
        if (end == common.end()) continue;
        fs::path shorter;
        for (auto part = common.begin(); part != end; ++part) shorter /= *part;
        common = std::move(shorter);
    }
    return common;
}

Sample frame_of_recording(const Sample& recording, fs::path path, int64_t frame, const std::string& name) {
    Sample s = recording;
    s.path = std::move(path);
    s.frame = frame;
    if (s.video.empty()) s.video = name;
    return s;
}

Expanded expanded(const Sample& row, const fs::path& common, int64_t frames, int64_t every) {
    const std::string name = row.path.lexically_normal().lexically_relative(common).generic_string();
    Expanded out;
    std::error_code code;
    if (row.frame >= 0 && is_video(row.path)) {
        out.samples.push_back(frame_of_recording(row, row.path, row.frame, name));
    } else if (is_video(row.path)) {
        for (const int64_t frame : chosen_frames(inspect_video(row.path).frames, frames, every))
            out.samples.push_back(frame_of_recording(row, row.path, frame, name));
    } else if (!has_image_ending(row.path) && fs::is_directory(row.path, code)) {
        const std::vector<fs::path> pictures = list_frames(row.path);
        if (pictures.empty()) throw Error(row.path.string(), "the folder holds no picture");
        for (const int64_t at : chosen_frames(static_cast<int64_t>(pictures.size()), frames, every))
            out.samples.push_back(frame_of_recording(row, pictures[static_cast<size_t>(at)], at, name));
    } else {
        out.samples.push_back(row);
    }
    return out;
}

/// Of frames that were listed one by one, those that stay.
std::vector<bool> thinned(const std::vector<Sample>& samples, int64_t every) {
    std::map<std::tuple<Label, Split, std::string, std::string, std::string>, std::vector<size_t>> recordings;
    for (size_t i = 0; i < samples.size(); ++i) {
        const Sample& s = samples[i];
        if (!s.video.empty()) recordings[{s.label, s.split, s.dataset, s.subject, s.video}].push_back(i);
    }
    std::vector<bool> stays(samples.size(), true);
    for (auto& [recording, of] : recordings) {
        std::stable_sort(of.begin(), of.end(), [&](size_t a, size_t b) { return samples[a].frame < samples[b].frame; });
        for (const size_t i : of) stays[i] = false;
        for (const int64_t at : chosen_frames(static_cast<int64_t>(of.size()), 0, every))
            stays[of[static_cast<size_t>(at)]] = true;
    }
    return stays;
}

std::string identity_of(const Sample& s) {
    std::string id = s.path.lexically_normal().string() + '\n' + std::to_string(is_video(s.path) ? s.frame : -1);
    if (s.box)
        for (const float v : {s.box->x, s.box->y, s.box->width, s.box->height}) id += '\n' + number(v);
    return id;
}

void lose(SampledFrames& out, Sample sample, std::string reason) {
    out.lost.push_back(std::move(sample));
    out.reasons.push_back(std::move(reason));
}

}  // namespace

std::vector<int64_t> chosen_frames(int64_t length, int64_t frames, int64_t every) {
    if (every <= 0) return sampled_frames(length, frames);
    // As clip_positions has it.
    auto first = static_cast<int64_t>(0.15 * static_cast<double>(length));
    auto last = static_cast<int64_t>(0.85 * static_cast<double>(length));
    if (first >= last) first = 0, last = length;
    std::vector<int64_t> out;
    for (int64_t at = first; at < last; at += every) out.push_back(at);
    return out;
}

SampledFrames sample_frames(const Dataset& dataset, int64_t frames, int64_t every, int threads) {
    const fs::path common = common_folder(dataset.samples);
    std::vector<Expanded> rows(dataset.samples.size());
    parallel_for(dataset.size(), threads, [&](int64_t i) {
        const Sample& row = dataset.samples[static_cast<size_t>(i)];
        Expanded& out = rows[static_cast<size_t>(i)];
        try {
            out = expanded(row, common, frames, every);
        } catch (const Error& error) {
            out.reason = skipped_line(row.path.string(), error);
        }
    });
    SampledFrames out;
    std::vector<Sample> listed, all;
    std::vector<bool> single;
    for (size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].samples.empty()) {
            if (rows[i].reason.empty()) rows[i].reason = dataset.samples[i].path.string() + ": holds no frame";
            out.unread.push_back(std::move(rows[i].reason));
            lose(out, dataset.samples[i], "recording unreadable");
        }
        // One for one: the row was a picture or a frame already.
        const bool one = rows[i].samples.size() == 1 && rows[i].samples[0].path == dataset.samples[i].path &&
                         rows[i].samples[0].frame == dataset.samples[i].frame;
        single.insert(single.end(), rows[i].samples.size(), one);
        std::move(rows[i].samples.begin(), rows[i].samples.end(), std::back_inserter(all));
    }
    std::vector<bool> stays(all.size(), true);
    if (every > 1) {
        std::vector<size_t> place;
        for (size_t i = 0; i < all.size(); ++i)
            if (single[i]) {
                place.push_back(i);
                listed.push_back(all[i]);
            }
        const std::vector<bool> thin = thinned(listed, every);
        for (size_t k = 0; k < place.size(); ++k) stays[place[k]] = thin[k];
    }
    std::unordered_set<std::string> seen;
    for (size_t i = 0; i < all.size(); ++i) {
        if (!stays[i])
            lose(out, std::move(all[i]), "frame not sampled");
        else if (!seen.insert(identity_of(all[i])).second)
            lose(out, std::move(all[i]), "listed twice");
        else
            out.samples.push_back(std::move(all[i]));
    }
    return out;
}

}  // namespace liven::data
