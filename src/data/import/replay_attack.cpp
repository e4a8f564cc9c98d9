#include <array>

#include "liven/data/video.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// Replay-Attack: https://www.idiap.ch/dataset/replayattack and its reader bob.db.replay.
///
///     {train,devel,test}/real/client001_session01_webcam_authenticate_adverse_1.mov
///     {train,devel,test}/attack/{fixed,hand}/attack_print_client001_session01_highdef_photo_adverse.mov
///     face-locations/<the same>.face          frame x y width height, 0 0 0 0 where no face was found
///
/// 1,200 videos of 50 clients (15, 15, 20), and 100 of enrolment, which are left out: they show the same real clients
/// and belong to no protocol. The protocols choose attacks by the device they were shown on or by photo and video.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// attack_<device>_client001_session01_<quality>_<photo|video>_<light>: whether the protocol takes it.
bool replay_attack_takes(const std::string& protocol, const std::vector<std::string>& words) {
    if (protocol == "grandtest" || protocol == "none") return true;
    if (protocol == "photo" || protocol == "video") return words[5] == protocol;
    return words[1] == protocol;
}

void add_replay_attack_split(const Tree& tree, const std::string& part, const ImportOptions& options,
                             std::vector<SourceRecording>& recordings, Dataset& out) {
    const Tree below(tree.folder(part), kReplayAttack.layout);
    for (const std::string name : {"real", "attack"}) {
        for (const fs::path& path : files_below(below.folder(name))) {
            if (!is_video(path)) continue;
            const std::vector<std::string> words = parts_of(path.stem().string(), "_");
            const bool attack = name == "attack";
            const size_t client = attack ? 2 : 0;
            if (words.size() < (attack ? 7 : 3) || words[client].rfind("client", 0) != 0) {
                out.skipped.push_back(path.string() + ": the name is not of the form client001_session01_...");
                continue;
            }
            if (attack && !replay_attack_takes(options.protocol, words)) continue;
            SourceRecording r;
            r.known.path = path;
            r.known.label = attack ? Label::attack : Label::bonafide;
            r.known.subject = words[client];
            r.known.video = tree.name_of(path);
            r.known.attack_type = attack ? words[1] : "";
            r.known.split = split_from(part).value_or(Split::none);
            r.faces = (tree.root() / "face-locations" / tree.name_of(path)).replace_extension(".face");
            r.read_faces = read_box_lines;
            recordings.push_back(std::move(r));
        }
    }
}

Dataset read_replay_attack(const fs::path& source, const ImportOptions& options) {
    const Tree tree(source, kReplayAttack.layout);
    Dataset out;
    std::vector<SourceRecording> recordings;
    for (const char* part : {"train", "devel", "test"}) add_replay_attack_split(tree, part, options, recordings, out);
    if (!tree.has("face-locations")) out.warnings.emplace_back("there is no folder face-locations: no face boxes");
    add_recordings(recordings, options, out);
    return out;
}

}  // namespace

constinit const Importer kReplayAttack{
    .name = "replay-attack",
    .title = "Replay-Attack",
    .citation =
        "Chingovska, Anjos, Marcel: On the effectiveness of local binary patterns in face anti-spoofing, "
        "BIOSIG 2012",
    .layout = "{train,devel,test}/{real,attack/{fixed,hand}}/*.mov, face-locations/",
    .protocols = "grandtest print mobile highdef photo video",
    .read = read_replay_attack};

}  // namespace liven::data
