#include "fuzz/parsers.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "kernels/tuning.hpp"
#include "liven/core/bytes.hpp"
#include "liven/core/error.hpp"
#include "liven/data/image.hpp"
#include "liven/data/import.hpp"
#include "liven/data/manifest.hpp"
#include "liven/data/video.hpp"
#include "liven/io/config.hpp"
#include "liven/io/event_file.hpp"
#include "liven/io/json.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/io/npy.hpp"
#include "liven/io/safetensors.hpp"
#include "liven/io/suggest.hpp"
#include "liven/metrics/pad.hpp"
#include "liven/protocol/plan.hpp"
#include "liven/protocol/search.hpp"
#include "liven/protocol/settings.hpp"
#include "liven/train/checkpoint.hpp"
#include "liven/train/model_file.hpp"
#include "liven/train/pretrained.hpp"
#include "liven/train/score_file.hpp"
#include "liven/train/settings.hpp"
#include "liven/train/source_table.hpp"
#include "src/data/import/hdf5.hpp"
#include "src/data/import/picture_size.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/prepare/journal.hpp"
#include "src/protocol/result_json.hpp"
#include "src/protocol/trial_log.hpp"

namespace liven::fuzz {
namespace {

namespace fs = std::filesystem;
using Bytes = std::span<const uint8_t>;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Bytes bytes_of(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

/// A folder of this process, in memory where the system has such a place: a fuzzer writes thousands of files a second.
class Folder {
public:
    Folder() {
        const fs::path memory = "/dev/shm";
        const fs::path base = fs::is_directory(memory) ? memory : fs::temp_directory_path();
        std::string name = (base / "liven-fuzz-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw Error("fuzz", "no temporary folder in " + base.string());
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    fs::path write(const fs::path& name, Bytes bytes) const {
        fs::path path = path_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text_of(bytes);
        return path;
    }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

const Folder& folder() {
    static const Folder folder;
    return folder;
}

void npy(Bytes bytes) { read_npy(folder().write("a.npy", bytes)); }
void npz(Bytes bytes) { read_npz(folder().write("a.npz", bytes)); }

void safetensors(Bytes bytes) { read_safetensors(folder().write("a.safetensors", bytes)); }
void model_file(Bytes bytes) { load_model(folder().write("model.safetensors", bytes)); }
void pretrained(Bytes bytes) { Pretrained(folder().write("weights.safetensors", bytes)).options("resnet50"); }
void checkpoint(Bytes bytes) {
    load_newest_checkpoint(folder().write("checkpoints/step-1.safetensors", bytes).parent_path());
}

void json(Bytes bytes) { Json::parse(text_of(bytes), "fuzz"); }
void events(Bytes bytes) { read_events(folder().write("events.out.tfevents.a", bytes)); }
void json_lines(Bytes bytes) { read_json_lines(folder().write("log.jsonl", bytes)); }

void config(Bytes bytes) {
    TrainSettings settings;
    settings.read(Config::parse(text_of(bytes), "fuzz"));
    settings.validate();
    settings.augment();
}

/// Whatever sets it names.
void protocol(Bytes bytes) { protocol::ProtocolSettings::read(Config::parse(text_of(bytes), "fuzz")); }

/// A finished training's scores, and a measure over them.
void result(Bytes bytes) {
    const protocol::CellResult result = protocol::result_from(Json::parse(text_of(bytes), "fuzz"));
    for (const auto& [name, scores] : result.targets)
        if (scores.samples != result.validation.samples)
            half_total_error_rate(result.validation.samples, scores.samples);
}

void search_range(Bytes bytes) { protocol::SearchRange::parse(text_of(bytes)); }

void scores(Bytes bytes) { read_scores(folder().write("scores.csv", bytes)); }

/// The trials of a search that varies two settings.
void search_log(Bytes bytes) {
    protocol::SearchSettings settings;
    settings.ranges = {{.name = "learning_rate", .low = 1e-5, .high = 1e-2},
                       {.name = "dropout", .low = 0, .high = 0.5}};
    visit_json_lines(folder().write("search.jsonl", bytes),
                     [&](const Json& line) { protocol::trial_from(settings, line); });
}

/// All of it, and its first training.
void plan(Bytes bytes) {
    const fs::path out = folder().write("protocol/plan.json", bytes).parent_path();
    const protocol::Plan plan = protocol::read_plan(out);
    if (!plan.cells.empty()) protocol::read_cell(out, plan.cells.front().id);
}

/// Each source has a sample for each part, whatever its path.
void sources(Bytes bytes) {
    const SourceTable table = SourceTable::read(Config::parse(text_of(bytes), "fuzz"), "fuzz");
    std::map<std::string, data::Dataset> sets;
    for (const auto& [name, path] : table.paths)
        for (const data::Split part : {data::Split::train, data::Split::val, data::Split::test}) {
            data::Sample sample;
            sample.path = fs::path(path) / (std::string(data::name_of(part)) + ".png");
            sample.split = part;
            sets[name].samples.push_back(std::move(sample));
        }
    data::assign_sources(sets, table.assignment);
}

/// Also the rest, when it tells of another preparation: as that one goes on.
void journal(Bytes bytes) {
    const fs::path at = folder().write(data::Journal::path_in("journal"), bytes).parent_path();
    data::Journal(at, data::Journal::fingerprint_in(at).value_or(""));
}

void manifest(Bytes bytes) { data::parse_manifest(text_of(bytes), "faces", "fuzz"); }

void image(Bytes bytes) {
    const data::ImageHeader header = data::inspect(bytes, "fuzz");
    // Damage is looked for, not time: large pictures only take longer.
    if (header.width * header.height <= 1 << 20) data::decode(bytes, "fuzz");
}
void picture_size(Bytes bytes) { data::picture_size(folder().write("a.jpg", bytes)); }

/// The arrays in the root and in the groups below it, which may hold themselves.
std::vector<std::string> arrays_of(const data::Hdf5File& file, const std::string& group, int levels) {
    std::vector<std::string> arrays;
    for (const std::string& below : file.names_in(group)) {
        std::string name = group.empty() ? "" : group + '/';
        name += below;
        if (arrays.size() > 64 || !file.has(name)) continue;
        try {
            if (!file.shape(name).empty()) arrays.push_back(name);
        } catch (const Error&) {  // no array: a group?
            if (levels == 0) continue;
            try {
                for (std::string& array : arrays_of(file, name, levels - 1)) arrays.push_back(std::move(array));
            } catch (const Error&) {  // neither
            }
        }
    }
    return arrays;
}

/// The first part of every array, as each kind of element. The library reads in a process beside, where what it does
/// wrong is a refusal: libFuzzer sees what Liven makes of its answers.
void hdf5(Bytes bytes) {
    const data::Hdf5File file(folder().write("a.hdf5", bytes),
                              {.answer = std::chrono::seconds(5), .memory = int64_t{1} << 30});
    for (const std::string& name : arrays_of(file, "", 3)) {
        for (const auto read : {+[](const data::Hdf5File&f, const std::string&n) { f.bytes(n, 0); },
                                +[](const data::Hdf5File&f, const std::string&n) { f.words(n, 0); },
                                +[](const data::Hdf5File&f, const std::string&n) { f.numbers(n, 0); }}) {
            try {
                read(file, name);
            } catch (const Error&) {  // of another type: the next may fit
            }
        }
    }
}
void video(Bytes bytes) {
    const fs::path path = folder().write("a.avi", bytes);
    const data::VideoInfo info = data::inspect_video(path);
    if (static_cast<int64_t>(info.width) * info.height > 1 << 16 || info.frames > 64) return;
    const std::array<int64_t, 2> frames{0, info.frames - 1};
    data::read_frames(path, std::span(frames).first(info.frames > 1 ? 2 : 1));
}

void tuning(Bytes bytes) { kernels::TuningTable::parse(text_of(bytes), "fuzz"); }
void byte_count(Bytes bytes) { bytes_from("fuzz", text_of(bytes)); }

void face_boxes(Bytes bytes) { data::read_box_lines(folder().write("a.face", bytes)); }
void face_corners(Bytes bytes) { data::read_corner_lines(folder().write("a.face", bytes)); }
void eyes(Bytes bytes) { data::read_eye_lines(folder().write("a.txt", bytes)); }

/// A published set of which the list is the input; what it may name lies beside it, a line end each: empty files are
/// refused.
void import_with(std::string_view name, const fs::path& list, std::initializer_list<const char*> others, Bytes bytes) {
    for (const char* other : others) {
        const fs::path path = fs::path(name) / other;
        if (!fs::exists(folder().path() / path)) folder().write(path, bytes_of("\n"));
    }
    folder().write(fs::path(name) / list, bytes);
    data::import_dataset(data::find_importer(name), folder().path() / name, {.threads = 1});
}

void nuaa(Bytes bytes) {
    import_with("nuaa", "client_train_raw.txt",
                {"ClientRaw/0001/0001_00_00_01_0.jpg", "ImposterRaw/0001/0001_00_00_01_0.jpg", "imposter_train_raw.txt",
                 "client_test_raw.txt", "imposter_test_raw.txt"},
                bytes);
}
void casia_surf(Bytes bytes) {
    import_with("casia-surf", "train_list.txt",
                {"Training/real_part/CLKJ_AS0137/real.rssdk/color/31.jpg", "val_private_list.txt"}, bytes);
}
void hifimask(Bytes bytes) {
    import_with("hifimask", "protocol/CASIA_HiFiMask@p1_video_train.txt",
                {"Data/1_05_0_2_6_1/0001.png", "protocol/CASIA_HiFiMask@p1_video_dev.txt",
                 "protocol/CASIA_HiFiMask@p1_video_test.txt"},
                bytes);
}
void msu_mfsd(Bytes bytes) {
    folder().write("msu-mfsd/test_sub_list.txt", bytes_of("02\n"));
    import_with("msu-mfsd", "train_sub_list.txt",
                {"scene01/real/real_client001_android_SD_scene01.mp4",
                 "scene01/attack/attack_client001_laptop_SD_ipad_video_scene01.mov"},
                bytes);
}
void wmca(Bytes bytes) {
    import_with("wmca", "wmca-protocols-csv/PROTOCOL-grandtest.csv",
                {"preprocessed-face-station_RGB/face-station/31.01.18/514_01_000_0_00.hdf5"}, bytes);
}
void celeba_spoof(Bytes bytes) {
    folder().write("celeba-spoof/metas/intra_test/test_label.json", bytes_of("{}"));
    import_with("celeba-spoof", "metas/intra_test/train_label.json",
                {"Data/train/1/live/000184.png", "Data/train/1/live/000184_BB.txt"}, bytes);
}

constexpr std::array kParsers{
    Parser{"byte-count", byte_count},
    Parser{"casia-surf", casia_surf},
    Parser{"celeba-spoof", celeba_spoof},
    Parser{"checkpoint", checkpoint},
    Parser{"config", config},
    Parser{"events", events},
    Parser{"eyes", eyes},
    Parser{"face-boxes", face_boxes},
    Parser{"face-corners", face_corners},
    Parser{"hdf5", hdf5},
    Parser{"hifimask", hifimask},
    Parser{"image", image},
    Parser{"journal", journal},
    Parser{"json", json},
    Parser{"json-lines", json_lines},
    Parser{"manifest", manifest},
    Parser{"model-file", model_file},
    Parser{"msu-mfsd", msu_mfsd},
    Parser{"npy", npy},
    Parser{"npz", npz},
    Parser{"nuaa", nuaa},
    Parser{"picture-size", picture_size},
    Parser{"plan", plan},
    Parser{"pretrained", pretrained},
    Parser{"protocol", protocol},
    Parser{"result", result},
    Parser{"safetensors", safetensors},
    Parser{"scores", scores},
    Parser{"search-log", search_log},
    Parser{"search-range", search_range},
    Parser{"sources", sources},
    Parser{"tuning", tuning},
    Parser{"video", video},
    Parser{"wmca", wmca},
};

}  // namespace

std::span<const Parser> parsers() { return kParsers; }

const Parser& find_parser(std::string_view name) {
    std::vector<std::string> names;
    for (const Parser& parser : kParsers) {
        if (parser.name == name) return parser;
        names.emplace_back(parser.name);
    }
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
    throw Error("fuzz", "there is no parser \"" + std::string(name) + "\"",
                did_you_mean(name, names) + "there are: " + known);
}

std::string refusal(const Parser& parser, std::span<const uint8_t> bytes) {
    try {
        parser.read(bytes);
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

}  // namespace liven::fuzz
