#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"
#include "src/data/names.hpp"

/// NUAA Photograph Imposter Database, raw pictures; its readme.txt describes it.
///
///     ClientRaw/0001/0001_00_00_01_0.jpg       subject, glasses, place and light, session, picture
///     ImposterRaw/0001/...                     prints of the same people
///     client_train_raw.txt, imposter_train_raw.txt, client_test_raw.txt, imposter_test_raw.txt
///
/// 5,105 and 7,509 pictures of 15 people. The official split shares subjects between training and test.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

void add_nuaa_list(const Tree& tree, const std::string& who, const std::string& part, Dataset& out) {
    const bool attack = who == "imposter";
    const fs::path folder = tree.folder(attack ? "ImposterRaw" : "ClientRaw");
    for (std::string line : lines_of(tree.file(who + '_' + part + "_raw.txt"))) {
        for (char& c : line)
            if (c == '\\') c = '/';
        Sample s;
        s.path = folder / line;
        std::error_code code;
        if (!fs::is_regular_file(s.path, code)) {
            out.skipped.push_back(s.path.string() + ": listed, but not there");
            continue;
        }
        s.label = attack ? Label::attack : Label::bonafide;
        s.subject = fs::path(line).begin()->string();
        const auto [before, frame] = frame_of(s.path);
        s.video = std::string(name_of(s.label)) + '/' + before;
        s.frame = frame;
        s.attack_type = attack ? "print" : "";
        s.split = *split_from(part);
        out.samples.push_back(std::move(s));
    }
}

Dataset read_nuaa(const fs::path& source, const ImportOptions&) {
    const Tree tree(source, kNuaa.layout);
    Dataset out;
    for (const char* part : {"train", "test"})
        for (const char* who : {"client", "imposter"}) add_nuaa_list(tree, who, part, out);
    return out;
}

}  // namespace

constinit const Importer kNuaa{
    .name = "nuaa",
    .title = "NUAA",
    .citation =
        "Tan, Li, Liu, Jiang: Face liveness detection from a single image with sparse low rank bilinear "
        "discriminative model, ECCV 2010",
    .layout = "ClientRaw/, ImposterRaw/ and {client,imposter}_{train,test}_raw.txt",
    .protocols = "official",
    .read = read_nuaa};

}  // namespace liven::data
