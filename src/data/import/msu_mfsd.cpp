#include <set>

#include "liven/data/video.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// MSU-MFSD, as its reader bob.db.msu_mfsd_mod describes it.
///
///     scene01/real/real_client001_android_SD_scene01.mp4
///     scene01/attack/attack_client001_laptop_SD_ipad_video_scene01.mov    ipad_video, iphone_video, printed_photo
///     <the same>.face                            frame, left, top, right, bottom, eyes
///     train_sub_list.txt, test_sub_list.txt      the clients' numbers, one a line
///
/// 35 clients, 15 for training and 20 for testing.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

std::set<int64_t> msu_clients(const fs::path& list) {
    std::set<int64_t> out;
    for (const std::string& line : lines_of(list)) out.insert(whole_number(line));
    return out;
}

std::string msu_attack_type(const std::string& word) {
    return word == "printed" ? "print" : word == "ipad" || word == "iphone" ? "replay-" + word : std::string();
}

Dataset read_msu_mfsd(const fs::path& source, const ImportOptions& options) {
    const Tree tree(source, kMsuMfsd.layout);
    const fs::path scene = tree.folder("scene01");
    std::set<int64_t> train, test;
    if (options.protocol != "none") {
        train = msu_clients(tree.file("train_sub_list.txt"));
        test = msu_clients(tree.file("test_sub_list.txt"));
    }
    Dataset out;
    std::vector<SourceRecording> recordings;
    for (const std::string name : {"real", "attack"})
        for (const fs::path& path : files_in(Tree(scene, kMsuMfsd.layout).folder(name))) {
            if (!is_video(path)) continue;
            const std::vector<std::string> words = parts_of(path.stem().string(), "_");
            const bool attack = name == "attack";
            const int64_t client = words.size() > (attack ? 5 : 3) && words[1].rfind("client", 0) == 0
                                       ? whole_number(words[1].substr(6))
                                       : -1;
            const std::string type = attack && client >= 0 ? msu_attack_type(words[4]) : std::string();
            if (client < 0 || (attack && type.empty())) {
                out.skipped.push_back(path.string() + ": the name is not of the form real_client001_android_SD_...");
                continue;
            }
            const Split split = train.count(client) ? Split::train : test.count(client) ? Split::test : Split::none;
            if (split == Split::none && options.protocol != "none") {
                out.skipped.push_back(path.string() + ": neither list of subjects has the client");
                continue;
            }
            SourceRecording r;
            r.known.path = path;
            r.known.label = attack ? Label::attack : Label::bonafide;
            r.known.subject = words[1];
            r.known.video = tree.name_of(path);
            r.known.attack_type = type;
            r.known.split = split;
            r.faces = fs::path(path).replace_extension(".face");
            r.read_faces = read_corner_lines;
            recordings.push_back(std::move(r));
        }
    add_recordings(recordings, options, out);
    return out;
}

}  // namespace

constinit const Importer kMsuMfsd{
    .name = "msu-mfsd",
    .title = "MSU-MFSD",
    .citation = "Wen, Han, Jain: Face spoof detection with image distortion analysis, TIFS 2015",
    .layout = "scene01/{real,attack}/*.{mov,mp4} with .face, train_sub_list.txt, test_sub_list.txt",
    .protocols = "official",
    .read = read_msu_mfsd};

}  // namespace liven::data
