#include "liven/data/synthesize.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/data/manifest.hpp"
#include "liven/data/split.hpp"
#include "liven/data/video.hpp"
#include "src/core/writing.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/parallel.hpp"
#include "src/data/synth/attack.hpp"
#include "src/data/synth/capture.hpp"
#include "src/data/synth/render.hpp"
#include "src/data/text.hpp"
#include "src/data/whole_file.hpp"

namespace liven::data {
namespace fs = std::filesystem;

std::string_view name_of(Difficulty difficulty) {
    switch (difficulty) {
        case Difficulty::easy:
            return "easy";
        case Difficulty::medium:
            return "medium";
        case Difficulty::hard:
            return "hard";
        case Difficulty::mixed:
            return "mixed";
    }
    return "?";
}

Difficulty difficulty_from(std::string_view name) {
    for (auto d : {Difficulty::easy, Difficulty::medium, Difficulty::hard, Difficulty::mixed})
        if (name == name_of(d)) return d;
    throw Error("difficulty", "expected easy, medium, hard or mixed, but got " + in_quotes(name));
}

namespace {

constexpr const char* stamp_name = "synthetic.json";
/// Raised whenever the same options would give other pictures.
constexpr int version = 1;

void validate(const SynthesisOptions& o) {
    const auto within = [](const char* name, int64_t value, int64_t low, int64_t high) {
        if (value < low || value > high)
            throw Error("synthesize", std::string("expected ") + name + " from " + std::to_string(low) + " to " +
                                          std::to_string(high) + ", but got " + std::to_string(value));
    };
    within("subjects", o.subjects, 1, 100'000);
    within("bonafide_videos", o.bonafide_videos, 0, 1000);
    within("attack_videos", o.attack_videos, 0, 1000);
    within("frames", o.frames, 1, 10'000);
    within("size", o.size, 32, 1024);
    within("threads", o.threads, 0, 1024);
    if (o.bonafide_videos + o.attack_videos == 0) throw Error("synthesize", "there are no videos to make");
}

/// Where a picture stands in the set.
struct Place {
    int subject, video, frame;
};

/// How many files a video makes.
int64_t files_of_video(const SynthesisOptions& o) { return o.video ? 1 : o.frames; }

Place place_of(const SynthesisOptions& o, int64_t index) {
    const int64_t videos = o.bonafide_videos + o.attack_videos, files = files_of_video(o);
    return {static_cast<int>(index / (videos * files)), static_cast<int>(index / files % videos),
            static_cast<int>(index % files)};
}

synth::Moment moment_of(const SynthesisOptions& o, int frame) {
    return {.frame = frame, .moving = o.moving || o.video};
}

bool is_attack(const SynthesisOptions& o, int video) { return video >= o.bonafide_videos; }
/// Print, replay and mask in turn, beginning elsewhere for each subject, so that one video a subject still gives all
/// three.
synth::Attack attack_of(const SynthesisOptions& o, int subject, int video) {
    return static_cast<synth::Attack>((video - o.bonafide_videos + subject) % 3);
}

uint64_t subject_key(const SynthesisOptions& o, int subject) {
    return Random::mix(o.seed, static_cast<uint64_t>(subject));
}
uint64_t video_key(const SynthesisOptions& o, int subject, int video) {
    return Random::mix(subject_key(o, subject), 1000 + static_cast<uint64_t>(video));
}

float strength_of(Difficulty difficulty, uint64_t key) {
    Random random(key, 21);
    switch (difficulty) {
        case Difficulty::easy:
            return random.uniform(0.85f, 1.0f);
        case Difficulty::medium:
            return random.uniform(0.5f, 0.8f);
        case Difficulty::hard:
            return random.uniform(0.25f, 0.45f);
        case Difficulty::mixed:
            break;
    }
    return random.uniform(0.3f, 1.0f);
}

std::string padded(int64_t value, size_t digits) {
    std::string text = std::to_string(value);
    return std::string(text.size() < digits ? digits - text.size() : 0, '0') + text;
}

/// The rows of the manifest: everything but the pixels.
Dataset table_of(const fs::path& folder, const SynthesisOptions& o) {
    Dataset set;
    set.name = "synthetic";
    const int64_t count = int64_t{o.subjects} * (o.bonafide_videos + o.attack_videos) * files_of_video(o);
    for (int64_t i = 0; i < count; ++i) {
        const Place p = place_of(o, i);
        Sample s;
        const bool attack = is_attack(o, p.video);
        s.label = attack ? Label::attack : Label::bonafide;
        s.subject = "s" + padded(p.subject, 3);
        s.video = s.subject + "v" + padded(p.video, 2);
        s.frame = o.video ? -1 : p.frame;
        if (attack) s.attack_type = synth::name_of(attack_of(o, p.subject, p.video));
        s.dataset = "synthetic";
        s.path =
            folder / s.subject / (s.video + (o.video ? ".avi" : "_" + padded(p.frame, 3) + (o.png ? ".png" : ".jpg")));
        set.samples.push_back(std::move(s));
    }
    return set;
}

/// What decides the bytes, threads and progress left out.
std::string stamp_of(const SynthesisOptions& o) {
    nlohmann::ordered_json stamp{{"made_by", "liven data synth"},
                                 {"note", "drawn faces; a model trained on them says nothing about people"},
                                 {"version", version},
                                 {"subjects", o.subjects},
                                 {"bonafide_videos", o.bonafide_videos},
                                 {"attack_videos", o.attack_videos},
                                 {"frames", o.frames},
                                 {"size", o.size},
                                 {"seed", o.seed},
                                 {"difficulty", name_of(o.difficulty)},
                                 {"format", o.video ? "avi"
                                            : o.png ? "png"
                                                    : "jpeg"}};
    if (o.moving && !o.video) stamp["moving"] = true;
    return stamp.dump(2) + '\n';
}

/// True when the folder holds exactly this set already. Throws Error when it holds anything else.
bool done_before(const fs::path& folder, const SynthesisOptions& o) {
    std::error_code code;
    if (!fs::exists(folder, code)) return false;
    if (!fs::is_directory(folder, code)) throw Error(folder.string(), "expected a folder, but it is a file");
    std::ifstream file(folder / stamp_name, std::ios::binary);
    const std::string stamp((std::istreambuf_iterator<char>(file)), {});
    if (stamp == stamp_of(o) && fs::exists(folder / "manifest.csv", code)) return true;
    const bool begun = stamp == stamp_of(o);  // the same set, interrupted: made again
    if (!begun && !o.overwrite && fs::directory_iterator(folder, code) != fs::directory_iterator())
        throw Error(folder.string(), "the folder is not empty and holds something else",
                    "choose another folder, or say overwrite");
    return false;
}

void begin_set(const fs::path& folder, const SynthesisOptions& o) {
    make_folders(folder);
    std::error_code code;
    fs::remove(folder / "manifest.csv", code);
    if (code) throw_unwritable(folder / "manifest.csv", code.value());
    // Before anything else, so that what is left when this is stopped is known as its own.
    write_whole(folder / stamp_name, stamp_of(o));
    for (int i = 0; i < o.subjects; ++i) make_folders(folder / ("s" + padded(i, 3)));
}

/// A set too small to divide is all for training.
void divide(Dataset& set, const SynthesisOptions& o) {
    if (o.subjects >= 3)
        assign_splits(set, {.seed = o.seed, .group_by = GroupBy::subject, .allow_leak = {}});
    else
        for (Sample& s : set.samples) s.split = Split::train;
}

}  // namespace

Image synthesize_frame(const SynthesisOptions& o, int subject, int video, int frame) {
    validate(o);
    if (subject < 0 || subject >= o.subjects || video < 0 || video >= o.bonafide_videos + o.attack_videos ||
        frame < 0 || frame >= o.frames)
        throw Error("synthesize", "there is no such subject, video or frame in the set");
    return guarded("synthesize", [&] {
        const synth::Subject person = synth::draw_subject(subject_key(o, subject));
        const uint64_t key = video_key(o, subject, video);
        const synth::Canvas light =
            is_attack(o, video) ? synth::attack_scene(attack_of(o, subject, video), person, key, moment_of(o, frame),
                                                      strength_of(o.difficulty, key), o.size)
                                : synth::render(person, synth::draw_scene(key, moment_of(o, frame)), {}, o.size);
        return synth::capture(light, synth::draw_camera(key, moment_of(o, frame)));
    });
}

Dataset synthesize(const fs::path& folder, const SynthesisOptions& o) {
    validate(o);
    if (done_before(folder, o)) return read_manifest(folder / "manifest.csv");
    Dataset set = table_of(folder, o);
    divide(set, o);
    begin_set(folder, o);
    parallel_for(
        set.size(), o.threads,
        [&](int64_t i) {
            const Place p = place_of(o, i);
            const fs::path& path = set.samples[static_cast<size_t>(i)].path;
            const auto frame = [&](int64_t at) {
                return synthesize_frame(o, p.subject, p.video, static_cast<int>(at));
            };
            if (o.video) return write_video(path, o.frames, frame);
            const synth::Camera camera = synth::draw_camera(video_key(o, p.subject, p.video), moment_of(o, p.frame));
            write(frame(p.frame), path, camera.jpeg_quality);
        },
        o.progress);
    write_manifest(set, folder / "manifest.csv");
    return set;
}

}  // namespace liven::data
