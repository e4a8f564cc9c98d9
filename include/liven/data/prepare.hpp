#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "liven/data/check.hpp"
#include "liven/data/dataset.hpp"
#include "liven/data/detect.hpp"
#include "liven/data/enhance.hpp"
#include "liven/data/quality.hpp"

/// From pictures and recordings as they are to faces as a network wants them: a folder with a manifest, every stage
/// optional and counted (Kuznetsov et al. 2026, section 3.3; order: sample, find the face, align, crop, judge, choose,
/// resize, enhance).
namespace liven::data {

/// What is cut out: nothing, the box that the set gives, or what a detector finds.
enum class FaceSource : uint8_t { none, boxes, detector };

struct PreparationReport;

struct PrepareOptions {
    /// Gets images/, manifest.csv and report.json. A folder that holds another preparation is refused.
    std::filesystem::path output{};
    bool overwrite = false;  ///< replaces another preparation; nothing else is ever replaced

    /// Of each recording (a video file, a folder of pictures), evenly between 15 % and 85 % of its length; 0: all.
    int64_t frames = 10;
    /// Instead, every so manieth frame of that part; also of pictures that share a recording. 0: not.
    int64_t every = 0;

    FaceSource faces = FaceSource::none;
    DetectorOptions detector{};
    double margin = 1;   ///< the box, or what an aligned face shows, grown about its middle: 2 doubles both sides
    bool align = false;  ///< by the landmarks of detector or set; boxes no longer matter

    int width = 256, height = 256;  ///< 0 and 0: not resized
    Interpolation interpolation = Interpolation::lanczos;

    bool judge = true;                      ///< quality of the face before it is resized, and of the result
    std::optional<double> least_quality{};  ///< faces of less are left out
    bool gates = true;                      ///< and, when there is a least quality, those that miss its gates

    bool equal_sources = false;  ///< select.hpp; splits are drawn anew
    bool balance = false;        ///< select.hpp
    uint64_t seed = 42;

    Enhancement pictures = Enhancement::none;      ///< of picture files
    Enhancement video_frames = Enhancement::none;  ///< of frames out of video files

    bool jpeg = false;  ///< else PNG
    int jpeg_quality = 95;

    int threads = 0;              ///< 0: as many as the machine has
    ProgressCallback judging{};   ///< when samples are chosen, all are judged first
    ProgressCallback progress{};  ///< while pictures are written
    /// Called with the finished report before the manifest is written.
    std::function<void(const PreparationReport&)> before_manifest{};

    /// Throws Error naming the field that cannot be.
    void validate() const;
    /// All that decides about the result, as JSON.
    std::string to_json() const;
};

/// What a stage left, and why it left out what it did.
struct StageCount {
    std::string stage;
    ClassCounts classes{};
    std::map<std::string, int64_t> attack_types{};
    std::map<std::string, int64_t> left_out{};  ///< reason, samples
};

/// How the samples of each class spread over twenty equal parts of [0, 1].
struct QualityHistogram {
    std::string part;  ///< total, sharpness, contrast, brightness, blur
    std::vector<int64_t> bonafide = std::vector<int64_t>(20), attack = std::vector<int64_t>(20);
};

/// A sample to show: what it was and what it became.
struct PreparedExample {
    Sample sample{};
    std::filesystem::path prepared{};  ///< empty: it was left out
    double quality = 0;
};

struct PreparationReport {
    std::string options;      ///< PrepareOptions::to_json
    std::string fingerprint;  ///< of options, rows and the files they name
    std::filesystem::path manifest;
    bool found_finished = false;  ///< the folder held this preparation: nothing was done and nothing else is filled in
    std::vector<StageCount> stages{};
    std::vector<QualityHistogram> before{}, after{};
    std::vector<PreparedExample> examples{};
    std::vector<std::string> skipped{}, warnings{};
    int64_t written = 0;  ///< pictures in the manifest

    std::string to_json() const;
};
/// A table: samples by stage, class and attack type, with the reasons.
std::ostream& operator<<(std::ostream& out, const PreparationReport& report);

/// Several sets as one; samples without a data set's name get their set's, and equal names are told apart by a number.
Dataset merged(std::vector<Dataset> sets);

/// What sampling would give, without decoding a picture: the counts of the first stages. Writes nothing.
PreparationReport plan_preparation(const Dataset& dataset, const PrepareOptions& options);

/// Prepares all of it. A picture that cannot be used is counted with its reason; a disk that cannot be written to is
/// one Error, and what was finished is kept: the same call goes on where an earlier one was stopped, at any point, and
/// ends with the same bytes. The result does not depend on the number of threads. The manifest, written last, has paths
/// relative to itself and all columns of the set; `quality` is that of the face before it was resized; boxes go where
/// the picture is cut, landmarks move along. Throws Error when nothing is left, or the folder is in use.
PreparationReport prepare(const Dataset& dataset, const PrepareOptions& options);

}  // namespace liven::data
