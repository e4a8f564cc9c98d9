#include <array>

#include "liven/data/video.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// OULU-NPU, as its paper and the lists of bob.db.oulunpu describe it.
///
///     {Train,Dev,Test}_files/P_S_U_F.avi       phone 1-6, session 1-3, user 01-55, file 1 bona fide, 2 and 3 prints,
///                                              4 and 5 replays
///     {Train,Dev,Test}_files/P_S_U_F.txt       frame,x,y,x,y of the eyes
///
/// The protocols follow from the names. 1: sessions 1 and 2 for training and validation, 3 for testing. 2: files 1, 2,
/// 4 against 1, 3, 5. 3.k: phone k for testing only. 4.k: all three at once. "all" takes the three folders as they are.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

struct OuluName {
    int64_t phone = 0, session = 0, user = 0, file = 0;
};

bool oulu_takes(const std::string& protocol, const OuluName& v, bool test) {
    const char number = protocol[0];
    const bool new_session = v.session == 3;
    const bool print_or_replay_2 = v.file == 3 || v.file == 5, print_or_replay_1 = v.file == 2 || v.file == 4;
    const bool phone = protocol.size() == 3 && v.phone == protocol[2] - '0';
    if ((number == '1' || number == '4') && new_session != test) return false;
    if ((number == '2' || number == '4') && (test ? print_or_replay_1 : print_or_replay_2)) return false;
    return !((number == '3' || number == '4') && phone != test);
}

Dataset read_oulu_npu(const fs::path& source, const ImportOptions& options) {
    const Tree tree(source, kOuluNpu.layout);
    Dataset out;
    std::vector<SourceRecording> recordings;
    for (const std::string part : {"Train", "Dev", "Test"})
        for (const fs::path& path : files_in(tree.folder(part + "_files"))) {
            if (!is_video(path)) continue;
            std::array<int64_t, 4> n{};
            const std::vector<std::string> words = parts_of(path.stem().string(), "_");
            for (size_t i = 0; i < 4; ++i) n[i] = words.size() == 4 ? whole_number(words[i]) : -1;
            const OuluName name{.phone = n[0], .session = n[1], .user = n[2], .file = n[3]};
            if (name.phone < 1 || name.session < 1 || name.user < 1 || name.file < 1 || name.file > 5) {
                out.skipped.push_back(path.string() +
                                      ": the name is not of the form 1_1_01_1 (phone, session, user, "
                                      "file)");
                continue;
            }
            if (!oulu_takes(options.protocol, name, part == "Test")) continue;
            SourceRecording r;
            r.known.path = path;
            r.known.label = name.file == 1 ? Label::bonafide : Label::attack;
            r.known.subject = words[2];
            r.known.video = tree.name_of(path);
            r.known.attack_type = name.file == 1   ? ""
                                  : name.file <= 3 ? "print-" + std::to_string(name.file - 1)
                                                   : "replay-" + std::to_string(name.file - 3);
            r.known.split = *split_from(part);
            r.faces = fs::path(path).replace_extension(".txt");
            r.read_faces = read_eye_lines;
            recordings.push_back(std::move(r));
        }
    add_recordings(recordings, options, out);
    return out;
}

}  // namespace

constinit const Importer kOuluNpu{
    .name = "oulu-npu",
    .title = "OULU-NPU",
    .citation =
        "Boulkenafet, Komulainen, Li, Feng, Hadid: OULU-NPU, a mobile face presentation attack database with "
        "real-world variations, FG 2017",
    .layout = "{Train,Dev,Test}_files/P_S_U_F.avi with P_S_U_F.txt",
    .protocols = "all 1 2 3.1 3.2 3.3 3.4 3.5 3.6 4.1 4.2 4.3 4.4 4.5 4.6",
    .read = read_oulu_npu};

}  // namespace liven::data
