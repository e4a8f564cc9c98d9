#include "samples.hpp"

#include <filesystem>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/video.hpp"

namespace liven::cli {
namespace {

void warn_of_skipped(const data::Dataset& set, const data::Dataset& seen) {
    for (size_t i = set.skipped.size(); i < seen.skipped.size(); ++i) log_warning("skipped " + seen.skipped[i]);
}

/// Recordings as clips for a model that sees clips, as single frames for one that sees pictures.
data::Dataset as_seen(const data::Dataset& set, const ModelFileInfo& info, int64_t per_video) {
    data::Dataset seen =
        info.input.rank() == 3
            ? data::pictures_of(set, per_video)
            : data::clips_of(set, {.frames = info.input[0], .stride = info.clip_stride, .per_video = per_video});
    warn_of_skipped(set, seen);
    return seen;
}

/// How the model's training divided its data.
data::SplitOptions split_options_of(const ModelFileInfo& info) {
    data::SplitOptions options;
    if (const Json* seed = info.training.find("seed")) options.seed = static_cast<uint64_t>(seed->integer());
    if (const Json* reason = info.training.find("allow_leak")) options.allow_leak = reason->text();
    if (const Json* by = info.training.find("group_by")) options.group_by = data::group_by_from(by->text());
    return options;
}

data::Dataset part_of(const std::string& path, const std::string& split, const data::SplitOptions& options) {
    data::Dataset set = data::open_dataset(path);
    if (split == "all") return set;
    data::assign_splits(set, options);
    data::Dataset part = set.only(data::split_from(split).value());
    if (part.samples.empty()) throw Error(path, "there are no samples in the split '" + split + "'");
    return part;
}

}  // namespace

data::Dataset samples_of_split(const std::string& path, const std::string& split, const ModelFileInfo& info,
                               int64_t per_video) {
    const Json* trained = info.training.find("clips_per_video");
    if (per_video == 0) per_video = trained ? trained->integer() : 1;
    return as_seen(part_of(path, split, split_options_of(info)), info, per_video);
}

data::Dataset pictures_of_split(const std::string& path, const std::string& split, const data::SplitOptions& options) {
    const data::Dataset part = part_of(path, split, options);
    data::Dataset seen = data::pictures_of(part, 1);
    warn_of_skipped(part, seen);
    return seen;
}

data::Dataset samples_of_file(const std::string& path, int64_t clips, const ModelFileInfo& info) {
    data::Dataset set;
    set.name = path;
    data::Sample sample;
    sample.path = path;
    set.samples.push_back(sample);
    const bool recording = data::is_video(path) || std::filesystem::is_directory(path);
    if (!recording && info.input.rank() == 4)
        throw Error(path, "the model sees clips: expected a video file or a folder of frames");
    return as_seen(set, info, clips);
}

}  // namespace liven::cli
