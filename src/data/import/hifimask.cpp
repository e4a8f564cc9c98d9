#include <array>

#include "liven/core/error.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// CASIA-SURF HiFiMask, as the authors' repository (liuajian/CASIA-FAS-Dataset) describes it.
///
///     Data/1_05_0_2_6_1/*.png                      skin, subject 01-75, type, scene, light, sensor
///     protocol/CASIA_HiFiMask@p1_video_train.txt   CASIA_HiFiMask/Data/1_05_0_2_6_1 0
///
/// Type 0 is live, 1 transparent, 2 plaster, 3 resin; 0 is live in the lists too. Protocol p1 takes all, p2.1 to p2.3
/// leave one type of mask to the test set, p3 also changes skin, scene, light and sensor.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

constexpr std::array<const char*, 4> kHifiTypes{"", "transparent", "plaster", "resin"};

/// What the folder's name says; false when it is none.
bool tell_hifi_name(const std::string& name, Sample& s) {
    const std::vector<std::string> words = parts_of(name, "_");
    const int64_t type = words.size() == 6 ? whole_number(words[2]) : -1;
    if (type < 0 || type >= static_cast<int64_t>(kHifiTypes.size())) return false;
    s.label = type == 0 ? Label::bonafide : Label::attack;
    s.subject = words[1];
    s.video = name;
    s.attack_type = kHifiTypes[static_cast<size_t>(type)];
    return true;
}

void add_hifi_video(const fs::path& folder, Split split, std::vector<SourceRecording>& recordings, Dataset& out) {
    SourceRecording r;
    r.known.path = folder;
    r.known.split = split;
    if (!tell_hifi_name(folder.filename().string(), r.known))
        out.skipped.push_back(folder.string() + ": the name is not of the form 1_05_0_2_6_1");
    else
        recordings.push_back(std::move(r));
}

void add_hifi_list(const Tree& tree, const fs::path& list, Split split, std::vector<SourceRecording>& recordings,
                   Dataset& out) {
    for (const std::string& line : lines_of(list)) {
        const std::vector<std::string> fields = parts_of(line, " \t");
        const fs::path folder = tree.root() / "Data" / fs::path(fields[0]).filename();
        Sample known;
        const std::string expected =
            tell_hifi_name(folder.filename().string(), known) ? known.label == Label::attack ? "1" : "0" : "";
        if (fields.size() != 2 || fields[1] != expected)
            throw Error(list.string(),
                        "expected lines such as \"CASIA_HiFiMask/Data/1_05_0_2_6_1 0\" whose label fits "
                        "the name, but got \"" +
                            line + '"');
        std::error_code code;
        if (!fs::is_directory(folder, code))
            out.skipped.push_back(folder.string() + ": listed, but not there");
        else
            add_hifi_video(folder, split, recordings, out);
    }
}

Dataset read_hifimask(const fs::path& source, const ImportOptions& options) {
    const Tree tree = Tree::within(source, "CASIA_HiFiMask", kHifiMask.layout);
    const fs::path data = tree.folder("Data");
    Dataset out;
    std::vector<SourceRecording> recordings;
    if (options.protocol == "none") {
        for (const fs::path& folder : folders_in(data)) add_hifi_video(folder, Split::none, recordings, out);
    } else {
        const Tree lists(tree.folder("protocol"), kHifiMask.layout);
        for (const std::string part : {"train", "dev", "test"})
            add_hifi_list(tree, lists.file("CASIA_HiFiMask@" + options.protocol + "_video_" + part + ".txt"),
                          *split_from(part), recordings, out);
    }
    add_recordings(recordings, options, out);
    return out;
}

}  // namespace

constinit const Importer kHifiMask{
    .name = "hifimask",
    .title = "HiFiMask",
    .citation =
        "Liu et al.: Contrastive context-aware learning for 3D high-fidelity mask face presentation attack "
        "detection, TIFS 2022",
    .layout = "Data/<skin_subject_type_scene_light_sensor>/*.png, protocol/CASIA_HiFiMask@*_video_*.txt",
    .protocols = "p1 p2.1 p2.2 p2.3 p3",
    .read = read_hifimask};

}  // namespace liven::data
