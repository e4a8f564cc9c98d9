#include "liven/core/error.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"
#include "src/data/names.hpp"

/// CASIA-SURF (CVPR 2019 challenge), as the readers bob.db.casiasurf and bob.pad.face describe its lists.
///
///     train_list.txt, val_private_list.txt, test_private_list.txt
///     Training/real_part/CLKJ_AS0005/real.rssdk/color/31.jpg <depth> <ir> 1
///     Training/fake_part/CLKJ_AS0005/01_enm_b.rssdk/color/31.jpg <depth> <ir> 0
///     Val/0000/000000-color.jpg Val/0000/000000-depth.jpg Val/0000/000000-ir.jpg 0
///
/// 1 is bona fide here. Colour, depth and infrared are told apart by their names, not by their order. All attacks are
/// printed faces, some with eyes (e), nose (n) and mouth (m) cut out, flat or bent; only the training set says which,
/// and only it says who.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

const std::string* surf_channel(const std::vector<std::string>& paths, const std::string& channel) {
    for (const std::string& path : paths)
        if (path.find('/' + channel + '/') != std::string::npos || path.find('-' + channel + '.') != std::string::npos)
            return &path;
    return nullptr;
}

/// Subject, video and attack type, which stand in the folders of the training set.
void tell_surf_folders(const std::string& path, Sample& s) {
    const std::vector<std::string> folders = parts_of(path, "/");
    s.video = fs::path(path).parent_path().generic_string();
    if (s.label == Label::attack) s.attack_type = "print";
    if (folders.size() < 6 || (folders[1] != "real_part" && folders[1] != "fake_part")) {
        s.video.clear();  // Val/0000 holds a thousand pictures of many people
        return;
    }
    s.subject = folders[2];
    if (s.label == Label::attack) s.attack_type = fs::path(folders[3]).stem().string();
}

void add_surf_list(const Tree& tree, const fs::path& list, Split split, Dataset& out) {
    for (const std::string& line : lines_of(list)) {
        std::vector<std::string> paths = parts_of(line, " \t");
        const std::string label = paths.back();
        paths.pop_back();
        const std::string* color = surf_channel(paths, "color");
        if (!color || (label != "0" && label != "1"))
            throw Error(list.string(), "expected lines of colour, depth and infrared picture and a label 0 or 1",
                        "a list without labels cannot be used; the ones with private in their name have them");
        Sample s;
        s.path = tree.root() / *color;
        std::error_code code;
        if (!fs::is_regular_file(s.path, code)) {
            out.skipped.push_back(s.path.string() + ": listed, but not there");
            continue;
        }
        s.label = label == "1" ? Label::bonafide : Label::attack;
        s.split = split;
        s.modality = "color";
        const std::string* depth = surf_channel(paths, "depth");
        if (depth && fs::is_regular_file(tree.root() / *depth, code)) s.depth_path = (tree.root() / *depth).string();
        tell_surf_folders(*color, s);
        if (!s.video.empty()) s.frame = frame_of(s.path).second;
        out.samples.push_back(std::move(s));
    }
}

Dataset read_casia_surf(const fs::path& source, const ImportOptions&) {
    const Tree tree(source, kCasiaSurf.layout);
    Dataset out;
    add_surf_list(tree, tree.file("train_list.txt"), Split::train, out);
    bool more = false;
    for (const auto& [list, split] :
         {std::pair{"val_private_list.txt", Split::val}, std::pair{"test_private_list.txt", Split::test}}) {
        if (!tree.has(list)) continue;
        add_surf_list(tree, tree.file(list), split, out);
        more = true;
    }
    if (!more) tree.misfit("expected val_private_list.txt or test_private_list.txt");
    return out;
}

}  // namespace

constinit const Importer kCasiaSurf{
    .name = "casia-surf",
    .title = "CASIA-SURF",
    .citation = "Zhang et al.: A dataset and benchmark for large-scale multi-modal face anti-spoofing, CVPR 2019",
    .layout = "Training/, Val/, Testing/ and train_list.txt, val_private_list.txt, test_private_list.txt",
    .protocols = "official",
    .read = read_casia_surf};

}  // namespace liven::data
