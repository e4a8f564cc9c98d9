#include "liven/core/error.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/frame_store.hpp"
#include "src/data/import/hdf5.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// CSMAD: https://www.idiap.ch/dataset/csmad; FAS_DataManager and bob.gradiant.face.databases read it.
///
///     bonafide/<A..N>/A_gen_i0_061.h5, or genglasses         person, light i0 to i3, number
///     attack/{WEAR,STAND}/<A..F>/E_atk_A1_i0_001.h5          wearer (Mask: on a stand), mask A1 of person A
///     data/sr300/color/<time> (height, width, 3) bytes, data/sr300/depth/<time> (height, width) 16 bits
///
/// The subject of an attack is the person whose face the mask has, who may not be on the other side of a split; the
/// wearer stands in the video's name. There is no official split; divide by subject. Colour and depth of the RealSense
/// camera are written as pictures.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

std::string member_of(const std::string& group, const std::string& name) { return group + '/' + name; }

std::vector<Sample> read_csmad_file(const Hdf5Recording& recording, FrameStore& store, int64_t frames) {
    const std::string color = "data/sr300/color", depth = "data/sr300/depth", where = recording.file.string();
    const Hdf5File file(recording.file);
    const std::vector<std::string> times = file.names_in(color);
    std::vector<Sample> rows;
    for (int64_t frame : sampled_frames(static_cast<int64_t>(times.size()), frames)) {
        const std::string& time = times[static_cast<size_t>(frame)];
        const std::string name = member_of(color, time), below = member_of(depth, time);
        const std::vector<int64_t> shape = file.shape(name);
        if (shape.size() != 3 || shape[2] != 3 || !plausible_size(shape[1], shape[0]))
            throw Error(where, "expected " + name + " of height x width x 3");
        Sample s = recording.known;
        s.frame = frame;
        s.path =
            store.keep(s.video, frame, [&] { return image_of_pixels(file.bytes(name), shape[1], shape[0], where); });
        if (file.has(below)) {
            const std::vector<int64_t> size = file.shape(below);
            if (size.size() != 2 || !plausible_size(size[1], size[0]))
                throw Error(where, "expected " + below + " of height x width");
            s.depth_path = store
                               .keep_depth(s.video, frame, static_cast<int>(size[1]), static_cast<int>(size[0]),
                                           [&] { return file.words(below); })
                               .string();
        }
        rows.push_back(std::move(s));
    }
    if (rows.empty()) throw Error(where, "the recording holds no frame");
    return rows;
}

/// <person>_gen[glasses]_i0_061 or <wearer>_atk_<person><mask>_i0_001; false when it is neither.
bool tell_csmad_name(const std::string& stem, Sample& s) {
    const std::vector<std::string> words = parts_of(stem, "_");
    if (words.size() < 4) return false;
    if (words[1] == "atk" && words.size() >= 5 && words[2][0] >= 'A' && words[2][0] <= 'Z') {
        s.label = Label::attack;
        s.subject = words[2].substr(0, 1);
        s.attack_type = words[0] == "Mask" ? "silicone-mask-stand" : "silicone-mask-worn";
        return true;
    }
    s.label = Label::bonafide;
    s.subject = words[0];
    return words[1] == "gen" || words[1] == "genglasses";
}

Dataset read_csmad(const fs::path& source, const ImportOptions& options) {
    require_hdf5(source.string());
    const Tree tree = Tree::within(source, "CSMAD", kCsmad.layout);
    Dataset out;
    std::vector<Hdf5Recording> recordings;
    for (const std::string part : {"bonafide", "attack"})
        for (const fs::path& path : files_below(tree.folder(part))) {
            if (path.extension() != ".h5" && path.extension() != ".hdf5") continue;
            Hdf5Recording r{.file = path, .known = {}};
            if (!tell_csmad_name(path.stem().string(), r.known) ||
                (r.known.label == Label::attack) != (part == "attack")) {
                out.skipped.push_back(path.string() +
                                      ": the name is neither A_gen_i0_061 nor E_atk_A1_i0_001, or not "
                                      "of its folder's class");
                continue;
            }
            r.known.video = fs::path(tree.name_of(path)).replace_extension().generic_string();
            r.known.modality = "color";
            recordings.push_back(std::move(r));
        }
    if (recordings.empty()) tree.misfit("expected files such as bonafide/A/A_gen_i0_061.h5");
    add_hdf5_recordings(recordings, options, out, [&](const Hdf5Recording& r, FrameStore& store) {
        return read_csmad_file(r, store, options.frames);
    });
    return out;
}

}  // namespace

constinit const Importer kCsmad{
    .name = "csmad",
    .title = "CSMAD",
    .citation =
        "Bhattacharjee, Mohammadi, Marcel: Spoofing deep face recognition with custom silicone masks, BTAS "
        "2018",
    .layout = "bonafide/<A..N>/*.h5, attack/{WEAR,STAND}/<A..F>/*.h5 (HDF5)",
    .protocols = "",
    .read = read_csmad};

}  // namespace liven::data
