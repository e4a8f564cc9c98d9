#include "liven/core/error.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/frame_store.hpp"
#include "src/data/import/hdf5.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// 3DMAD: https://www.idiap.ch/dataset/3dmad and its readers bob.db.maskattack and bob.pad.face.
///
///     session0{1,2,3}/Data/CC_SS_NN.hdf5      client 01-17, session, shot; sessions 1 and 2 real, 3 masks
///     Color_Data (frames, 3, 480, 640) bytes, Depth_Data (frames, 1, 480, 640) 11 of 16 bits,
///     Eye_Pos (frames, 4): x, y of the right eye, x, y of the left
///
/// Files are found in any folder below SOURCE. One operator wears all masks, so the subject of an attack is the client
/// whose face the mask has. There is no official split for attack detection; divide by subject. Colour and depth are
/// written as pictures, the box comes from the eyes.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

std::vector<Sample> read_mask_attack_file(const Hdf5Recording& recording, FrameStore& store, int64_t frames) {
    const Hdf5File file(recording.file);
    const std::string where = recording.file.string();
    const std::vector<int64_t> color = file.shape("Color_Data");
    if (color.size() != 4 || color[1] != 3 || color[0] > max_recorded_frames || !plausible_size(color[3], color[2]))
        throw Error(where, "expected Color_Data of frames x 3 x height x width");
    const bool with_depth = file.has("Depth_Data"), with_eyes = file.has("Eye_Pos");
    const std::vector<int64_t> depth = with_depth ? file.shape("Depth_Data") : std::vector<int64_t>{};
    if (with_depth &&
        (depth.size() < 3 || depth[0] != color[0] || depth[depth.size() - 2] != color[2] || depth.back() != color[3]))
        throw Error(where, "expected Depth_Data of as many frames and pixels as Color_Data");
    std::vector<double> eyes;
    if (with_eyes && file.shape("Eye_Pos") == std::vector<int64_t>{color[0], 4}) eyes = file.numbers("Eye_Pos");
    if (!eyes.empty() && static_cast<int64_t>(eyes.size()) != 4 * color[0])
        throw Error(where, "expected Eye_Pos of frames x 4");
    std::vector<Sample> rows;
    for (int64_t frame : sampled_frames(color[0], frames)) {
        Sample s = recording.known;
        s.frame = frame;
        s.path = store.keep(s.video, frame, [&] {
            return image_of_planes(file.bytes("Color_Data", frame), color[3], color[2], where);
        });
        if (with_depth)
            s.depth_path = store
                               .keep_depth(s.video, frame, static_cast<int>(color[3]), static_cast<int>(color[2]),
                                           [&] { return file.words("Depth_Data", frame); })
                               .string();
        if (!eyes.empty()) {
            const double* e = eyes.data() + 4 * frame;
            const auto face = face_from_eyes(e[0], e[1], e[2], e[3]);
            if (face && touches(face->box, color[3], color[2])) {
                s.box = face->box;
                s.landmarks = face->eyes;
            }
        }
        rows.push_back(std::move(s));
    }
    if (rows.empty()) throw Error(where, "the recording holds no frame");
    return rows;
}

Dataset read_mask_attack(const fs::path& source, const ImportOptions& options) {
    require_hdf5(source.string());
    const Tree tree(source, kMaskAttack.layout);
    Dataset out;
    std::vector<Hdf5Recording> recordings;
    for (const fs::path& path : files_below(tree.root())) {
        if (path.extension() != ".hdf5" && path.extension() != ".h5") continue;
        const std::vector<std::string> words = parts_of(path.stem().string(), "_");
        const int64_t session = words.size() == 3 ? whole_number(words[1]) : -1;
        if (session < 1 || session > 3 || whole_number(words[0]) < 1) {
            out.skipped.push_back(path.string() +
                                  ": the name is not of the form 01_03_05.hdf5 (client, session, shot)");
            continue;
        }
        Hdf5Recording r{.file = path, .known = {}};
        r.known.label = session == 3 ? Label::attack : Label::bonafide;
        r.known.subject = words[0];
        r.known.video = path.stem().string();
        r.known.attack_type = session == 3 ? "mask" : "";
        r.known.modality = "color";
        recordings.push_back(std::move(r));
    }
    if (recordings.empty()) tree.misfit("expected files such as session01/Data/01_01_01.hdf5");
    add_hdf5_recordings(recordings, options, out, [&](const Hdf5Recording& r, FrameStore& store) {
        return read_mask_attack_file(r, store, options.frames);
    });
    return out;
}

}  // namespace

constinit const Importer kMaskAttack{
    .name = "3dmad",
    .title = "3DMAD",
    .citation =
        "Erdogmus, Marcel: Spoofing in 2D face recognition with 3D masks and anti-spoofing with Kinect, BTAS "
        "2013",
    .layout = "session0{1,2,3}/Data/CC_SS_NN.hdf5 (HDF5)",
    .protocols = "",
    .read = read_mask_attack};

}  // namespace liven::data
