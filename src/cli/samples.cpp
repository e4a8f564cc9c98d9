#include "samples.hpp"

#include <filesystem>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/split.hpp"
#include "liven/data/video.hpp"

namespace liven::cli {
namespace {

/// Recordings as clips for a model that sees clips, as single frames for one that sees pictures.
data::Dataset as_seen(const data::Dataset& set, const ModelFileInfo& info, int64_t per_video = 1) {
    data::Dataset seen =
        info.input.rank() == 3
            ? data::pictures_of(set, per_video)
            : data::clips_of(set, {.frames = info.input[0], .stride = info.clip_stride, .per_video = per_video});
    for (size_t i = set.skipped.size(); i < seen.skipped.size(); ++i) log_warning("skipped " + seen.skipped[i]);
    return seen;
}

}  // namespace

data::Dataset samples_of_split(const std::string& path, const std::string& split, const ModelFileInfo& info) {
    data::Dataset set = data::open_dataset(path);
    if (split == "all") return as_seen(set, info);
    data::SplitOptions options;
    if (const Json* seed = info.training.find("seed")) options.seed = static_cast<uint64_t>(seed->integer());
    if (const Json* reason = info.training.find("allow_leak")) options.allow_leak = reason->text();
    if (const Json* by = info.training.find("group_by")) options.group_by = data::group_by_from(by->text());
    data::assign_splits(set, options);
    data::Dataset part = set.only(data::split_from(split).value());
    if (part.samples.empty()) throw Error(path, "there are no samples in the split '" + split + "'");
    return as_seen(part, info);
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
