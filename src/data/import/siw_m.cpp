#include <algorithm>
#include <array>

#include "liven/data/video.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// SiW-M, as its paper describes the protocols and the reader FAS_DataManager the folders.
///
///     Live/{Train,Test}/*.mov      Paper/*.mov      Replay/*.mov
///     Mask/{HalfMask,SiliconeMask,TransparentMask,PaperMask,MannequinHead}/*.mov
///     Makeup/{Obfuscation,Impersonation,Cosmetic}/*.mov
///     Partial/{FunnyeyeGlasses,PaperGlasses,PaperCut}/*.mov
///
/// 13 protocols, each named after the type it leaves out: training on the 12 other types and Live/Train, testing on
/// that type and Live/Test. Who is seen is not given, so nothing keeps one person on one side.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

struct SiwType {
    const char* name;  ///< the protocol, and the attack type
    const char* folder;
};
constexpr std::array<SiwType, 13> kSiwTypes{{{"replay", "Replay"},
                                             {"print", "Paper"},
                                             {"half-mask", "Mask/HalfMask"},
                                             {"silicone-mask", "Mask/SiliconeMask"},
                                             {"transparent-mask", "Mask/TransparentMask"},
                                             {"paper-mask", "Mask/PaperMask"},
                                             {"mannequin", "Mask/MannequinHead"},
                                             {"obfuscation", "Makeup/Obfuscation"},
                                             {"impersonation", "Makeup/Impersonation"},
                                             {"cosmetic", "Makeup/Cosmetic"},
                                             {"funny-eyes", "Partial/FunnyeyeGlasses"},
                                             {"paper-glasses", "Partial/PaperGlasses"},
                                             {"partial-paper", "Partial/PaperCut"}}};

void add_siw_folder(const Tree& tree, const std::string& folder, const Sample& like,
                    std::vector<SourceRecording>& recordings) {
    for (const fs::path& path : files_below(tree.folder(folder))) {
        if (!is_video(path)) continue;
        SourceRecording r;
        r.known = like;
        r.known.path = path;
        r.known.video = tree.name_of(path);
        recordings.push_back(std::move(r));
    }
}

Dataset read_siw_m(const fs::path& source, const ImportOptions& options) {
    const Tree tree = Tree::within(source, "SiW-M", kSiwM.layout);
    const bool divide = options.protocol != "none";
    Dataset out;
    std::vector<SourceRecording> recordings;
    for (const std::string part : {"Train", "Test"}) {
        Sample like;
        if (divide) like.split = *split_from(part);
        add_siw_folder(tree, "Live/" + part, like, recordings);
    }
    for (const SiwType& type : kSiwTypes) {
        Sample like;
        like.label = Label::attack;
        like.attack_type = type.name;
        if (divide) like.split = options.protocol == type.name ? Split::test : Split::train;
        add_siw_folder(tree, type.folder, like, recordings);
    }
    if (divide)
        out.warnings.push_back("protocol " + options.protocol +
                               " leaves that attack type to the test set; there are "
                               "13, one for each type");
    add_recordings(recordings, options, out);
    return out;
}

}  // namespace

constinit const Importer kSiwM{
    .name = "siw-m",
    .title = "SiW-M",
    .citation = "Liu, Stehouwer, Jourabloo, Liu: Deep tree learning for zero-shot face anti-spoofing, CVPR 2019",
    .layout = "Live/{Train,Test}, Paper, Replay, Mask/*, Makeup/*, Partial/* with *.mov",
    .protocols =
        "replay print half-mask silicone-mask transparent-mask paper-mask mannequin obfuscation impersonation "
        "cosmetic funny-eyes paper-glasses partial-paper",
    .read = read_siw_m};

}  // namespace liven::data
