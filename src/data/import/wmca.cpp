#include <algorithm>
#include <map>

#include "liven/core/error.hpp"
#include "src/data/csv.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/frame_store.hpp"
#include "src/data/import/hdf5.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// WMCA, colour channel of the preprocessed faces; FAS_DataManager and bob.pad.face (its table of attack instruments)
/// describe it.
///
///     preprocessed-face-station_RGB/face-station/31.01.18/514_01_035_1_05.hdf5
///         client, session, presenter, type, instrument; <frame>/array (3, 128, 128) bytes
///     wmca-protocols-csv/PROTOCOL-grandtest.csv     face-station/31.01.18/514_01_035_1_05,...,train|dev|eval
///
/// Type 0 is bona fide. The other protocols, PROTOCOL-LOO_<attack>.csv, leave one attack to the test set.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// What the two last numbers of a name stand for; empty: bona fide.
std::string wmca_attack_type(int64_t type, int64_t instrument) {
    switch (type) {
        case 0:
            return "";
        case 1:
            return instrument == 2 || instrument == 13 || instrument == 14 ? "rigidmask" : "glasses";
        case 2:
            return instrument <= 7    ? "fakehead"
                   : instrument <= 11 ? "papermask"
                   : instrument <= 17 ? "rigidmask"
                                      : "flexiblemask";
        case 3:
            return instrument % 5 == 0 ? "replay" : "print";
        case 4:
            return "replay";
        default:
            return "makeup";
    }
}

/// The split of each name in a protocol; the group is the field that is one of train, dev and eval.
std::map<std::string, Split> wmca_protocol(const fs::path& file) {
    const std::vector<uint8_t> bytes = read_file(file);
    CsvReader csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
    std::map<std::string, Split> out;
    std::vector<std::string> fields;
    csv.next(fields);  // the names of the columns
    while (csv.next(fields)) {
        const auto group = std::find_if(fields.begin() + 1, fields.end(), [](const std::string& field) {
            return field == "eval" || split_from(field).has_value();
        });
        if (group == fields.end()) csv.fail("expected a field train, dev or eval");
        out[fs::path(fields[0]).filename().string()] = *group == "eval" ? Split::test : *split_from(*group);
    }
    return out;
}

std::vector<Sample> read_wmca_file(const Hdf5Recording& recording, FrameStore& store, int64_t frames) {
    const std::string where = recording.file.string();
    const Hdf5File file(recording.file);
    std::vector<std::string> names = file.names_in("");
    // Frame_2 comes before Frame_10.
    std::stable_sort(names.begin(), names.end(),
                     [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
    names.erase(
        std::remove_if(names.begin(), names.end(), [&](const std::string& name) { return !file.has(name + "/array"); }),
        names.end());
    std::vector<Sample> rows;
    for (int64_t frame : sampled_frames(static_cast<int64_t>(names.size()), frames)) {
        const std::string name = names[static_cast<size_t>(frame)] + "/array";
        const std::vector<int64_t> shape = file.shape(name);
        if (shape.size() != 3 || shape[0] != 3 || !plausible_size(shape[2], shape[1]))
            throw Error(where, "expected " + name + " of 3 x height x width");
        Sample s = recording.known;
        s.frame = frame;
        s.path =
            store.keep(s.video, frame, [&] { return image_of_planes(file.bytes(name), shape[2], shape[1], where); });
        rows.push_back(std::move(s));
    }
    if (rows.empty()) throw Error(where, "the recording holds no frame");
    return rows;
}

/// Client, class and attack type of 514_01_035_1_05; false when it is none.
bool tell_wmca_name(const std::string& stem, Sample& s) {
    const std::vector<std::string> words = parts_of(stem, "_");
    if (words.size() != 5) return false;
    const int64_t type = whole_number(words[3]), instrument = whole_number(words[4]);
    if (type < 0 || type > 5 || instrument < 0) return false;
    s.subject = words[0];
    s.attack_type = wmca_attack_type(type, instrument);
    s.label = type == 0 ? Label::bonafide : Label::attack;
    s.video = stem;
    s.modality = "color";
    return true;
}

Dataset read_wmca(const fs::path& source, const ImportOptions& options) {
    require_hdf5(source.string());
    const Tree tree = Tree::within(source, "WMCA", kWmca.layout);
    const fs::path faces = tree.any_folder({"preprocessed-face-station_RGB", "face-station"});
    std::map<std::string, Split> splits;
    if (options.protocol != "none")
        splits = wmca_protocol(
            Tree(tree.folder("wmca-protocols-csv"), kWmca.layout).file("PROTOCOL-" + options.protocol + ".csv"));
    Dataset out;
    std::vector<Hdf5Recording> recordings;
    int64_t elsewhere = 0;
    for (const fs::path& path : files_below(faces)) {
        if (path.extension() != ".hdf5" && path.extension() != ".h5") continue;
        Hdf5Recording r{.file = path, .known = {}};
        if (!tell_wmca_name(path.stem().string(), r.known)) {
            out.skipped.push_back(path.string() + ": the name is not of the form 514_01_035_1_05");
            continue;
        }
        if (options.protocol != "none") {
            const auto split = splits.find(path.stem().string());
            elsewhere += split == splits.end();
            if (split == splits.end()) continue;
            r.known.split = split->second;
            splits.erase(split);
        }
        recordings.push_back(std::move(r));
    }
    for (const auto& [name, split] : splits) out.skipped.push_back(name + ": listed, but not there");
    warn_of(out, elsewhere, "recordings are not in protocol " + options.protocol + " and are left out");
    if (recordings.empty()) tree.misfit("expected files such as face-station/31.01.18/514_01_035_1_05.hdf5");
    add_hdf5_recordings(recordings, options, out, [&](const Hdf5Recording& r, FrameStore& store) {
        return read_wmca_file(r, store, options.frames);
    });
    return out;
}

}  // namespace

constinit const Importer kWmca{
    .name = "wmca",
    .title = "WMCA",
    .citation =
        "George et al.: Biometric face presentation attack detection with multi-channel convolutional neural "
        "network, TIFS 2020",
    .layout = "preprocessed-face-station_RGB/face-station/<date>/*.hdf5, wmca-protocols-csv/PROTOCOL-*.csv (HDF5)",
    .protocols =
        "grandtest LOO_fakehead LOO_flexiblemask LOO_glasses LOO_papermask LOO_prints LOO_replay "
        "LOO_rigidmask",
    .read = read_wmca};

}  // namespace liven::data
