#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <limits>

#include "helpers.hpp"
#include "import_helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/import.hpp"
#include "src/data/import/hdf5.hpp"

#if LIVEN_WITH_HDF5
#include <hdf5.h>
#endif

using namespace liven::data;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

Dataset import_frames(const std::string& name, const fs::path& source, const fs::path& out,
                      const std::string& protocol = "", int64_t frames = 2) {
    return import_dataset(find_importer(name), source,
                          {.output = out, .protocol = protocol, .frames = frames, .threads = 1});
}

}  // namespace

#if LIVEN_WITH_HDF5
namespace {

/// An HDF5 file in the making.
class Hdf5Writer {
public:
    explicit Hdf5Writer(const fs::path& path) {
        fs::create_directories(path.parent_path());
        file_ = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        REQUIRE(file_ >= 0);
    }
    Hdf5Writer(const Hdf5Writer&) = delete;
    Hdf5Writer& operator=(const Hdf5Writer&) = delete;
    ~Hdf5Writer() { H5Fclose(file_); }

    /// An array whose element i is i; `chunk` (of all axes) leaves it unwritten, so that it may be of any size.
    void array(const std::string& name, std::vector<hsize_t> extent, hid_t type, bool unwritten = false) {
        const hid_t links = H5Pcreate(H5P_LINK_CREATE), storage = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_create_intermediate_group(links, 1);
        if (unwritten)
            H5Pset_layout(storage, H5D_CHUNKED),
                H5Pset_chunk(storage, static_cast<int>(extent.size()), std::vector<hsize_t>(extent.size(), 1).data());
        const hid_t space = H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr);
        const hid_t id = H5Dcreate2(file_, name.c_str(), type, space, links, storage, H5P_DEFAULT);
        REQUIRE(id >= 0);
        if (!unwritten) {
            size_t count = 1;
            for (hsize_t n : extent) count *= n;
            std::vector<int> values(count);
            for (size_t i = 0; i < count; ++i) values[i] = static_cast<int>(i % 251);
            REQUIRE(H5Dwrite(id, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
        }
        H5Dclose(id), H5Sclose(space), H5Pclose(storage), H5Pclose(links);
    }
    /// An array of floats that are no numbers.
    void no_numbers(const std::string& name, std::vector<hsize_t> extent) {
        size_t count = 1;
        for (hsize_t n : extent) count *= n;
        const std::vector<float> values(count, std::numeric_limits<float>::quiet_NaN());
        const hid_t space = H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr);
        const hid_t id =
            H5Dcreate2(file_, name.c_str(), H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        REQUIRE(H5Dwrite(id, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
        H5Dclose(id), H5Sclose(space);
    }
    void link_out(const std::string& name, const std::string& file) {
        REQUIRE(H5Lcreate_external(file.c_str(), "/Color_Data", file_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0);
    }

private:
    hid_t file_ = -1;
};

void write_mask_recording(const fs::path& path) {
    Hdf5Writer file(path);
    file.array("Color_Data", {5, 3, 6, 8}, H5T_NATIVE_UINT8);
    file.array("Depth_Data", {5, 1, 6, 8}, H5T_NATIVE_UINT16);
    file.array("Eye_Pos", {5, 4}, H5T_NATIVE_INT16);
}

/// Where the library reads address 0: the first child of the root group's B-tree (32 bytes behind its "TREE") has no
/// address.
void break_first_child(const fs::path& path) {
    std::string bytes = contents_of(path);
    const size_t tree = bytes.find("TREE");
    REQUIRE(tree != std::string::npos);
    bytes.replace(tree + 32, 8, std::string(8, '\xff'));
    write_bytes(path, bytes);
}

}  // namespace

TEST_CASE(
    "3DMAD: frames become pictures with depth and a box from the eyes; a second run keeps them unless the file is "
    "newer") {
    const TemporaryFolder folder;
    const fs::path root = folder / "3DMAD", out = folder / "out";
    write_mask_recording(root / "session01/Data/01_01_01.hdf5");
    write_mask_recording(root / "session03/Data/01_03_02.hdf5");
    write_bytes(root / "session03/Data/notes.hdf5", "x");
    const Dataset set = import_frames("3dmad", root, out);
    REQUIRE(set.size() == 4);
    CHECK(set.count(Label::attack) == 2);
    CHECK(set.count(Split::none) == 4);
    CHECK(types_of(set) == std::set<std::string>{"", "mask"});
    const Sample& first = set.samples[0];
    CHECK(first.subject == "01");
    CHECK(first.video == "01_01_01");
    const Image image = decode(first.path);
    CHECK(image.width == 8);
    CHECK(image.height == 6);
    const int64_t start = first.frame * 3 * 6 * 8;
    CHECK(image.at(0, 0)[0] == start % 251);
    CHECK(image.at(0, 0)[1] == (start + 48) % 251);
    CHECK(image.at(1, 0)[0] == (start + 1) % 251);
    CHECK(inspect(read_file(first.depth_path), "depth").width == 8);
    // The eyes of frame f are at (4 f, 4 f + 1) and (4 f + 2, 4 f + 3).
    REQUIRE(first.box.has_value());
    CHECK(first.box->width == Approx(2 * std::sqrt(8.0)));
    CHECK(set.skipped.size() == 1);

    const auto made = fs::last_write_time(first.path);
    write_bytes(set.samples[1].path, "kept as it is");
    const Dataset again = import_frames("3dmad", root, out);
    CHECK(again.size() == 4);
    CHECK(fs::last_write_time(first.path) == made);
    CHECK(contents_of(set.samples[1].path) == "kept as it is");
    fs::last_write_time(root / "session01/Data/01_01_01.hdf5", made + std::chrono::hours(1));
    import_frames("3dmad", root, out);
    CHECK(decode(set.samples[1].path).width == 8);
    CHECK(import_frames("3dmad", root, folder / "all", "", 0).size() == 10);
}

TEST_CASE("HDF5 of the wrong kind, shape, type or size is named and nothing of it is left behind") {
    const TemporaryFolder folder;
    const fs::path root = folder / "3DMAD/Data", out = folder / "out";
    write_mask_recording(root / "01_01_01.hdf5");
    write_bytes(root / "02_01_01.hdf5", "not HDF5 at all");
    Hdf5Writer(root / "03_01_01.hdf5").array("Depth_Data", {5, 1, 6, 8}, H5T_NATIVE_UINT16);
    Hdf5Writer(root / "04_01_01.hdf5").array("Color_Data", {5, 3, 6, 8}, H5T_NATIVE_FLOAT);
    Hdf5Writer(root / "05_01_01.hdf5").array("Color_Data", {5, 6, 8, 3}, H5T_NATIVE_UINT8);
    Hdf5Writer(root / "06_01_01.hdf5").array("Color_Data", {3, 3, 1u << 20, 1u << 20}, H5T_NATIVE_UINT8, true);
    const hsize_t huge = hsize_t{1} << 20;
    Hdf5Writer(root / "11_01_01.hdf5").array("Color_Data", {huge, 3, 6, 8}, H5T_NATIVE_UINT8, true);
    Hdf5Writer(root / "07_01_01.hdf5").array("Color_Data", {48}, H5T_NATIVE_UINT8);
    Hdf5Writer(root / "08_01_01.hdf5").link_out("Color_Data", (root / "01_01_01.hdf5").string());
    {
        Hdf5Writer file(root / "09_01_01.hdf5");
        file.array("Color_Data", {5, 3, 6, 8}, H5T_NATIVE_UINT8);
        file.array("Depth_Data", {4, 1, 6, 8}, H5T_NATIVE_UINT16);
    }
    write_mask_recording(root / "10_01_01.hdf5");
    fs::resize_file(root / "10_01_01.hdf5", fs::file_size(root / "10_01_01.hdf5") / 2);
    const Dataset set = import_frames("3dmad", folder / "3DMAD", out);
    CHECK(set.size() == 2);
    CAPTURE(set.skipped);
    CHECK(set.skipped.size() == 10);
    std::set<fs::path> listed, written;
    for (const Sample& sample : set.samples) listed.insert({sample.path, fs::path(sample.depth_path)});
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(out))
        if (entry.is_regular_file()) written.insert(entry.path());
    CHECK(written == listed);
    fs::remove(root / "01_01_01.hdf5");
    CHECK_THROWS_WITH(import_frames("3dmad", folder / "3DMAD", out), Contains("the first of 10 faults"));
}

TEST_CASE("A file on which the HDF5 library itself crashes is a counted skip") {
    const TemporaryFolder folder;
    const fs::path root = folder / "3DMAD/Data", out = folder / "out", bad = root / "02_01_01.hdf5";
    write_mask_recording(root / "01_01_01.hdf5");
    write_mask_recording(bad);
    break_first_child(bad);
    const Dataset set = import_frames("3dmad", folder / "3DMAD", out);
    CHECK(set.size() == 2);
    REQUIRE(set.skipped.size() == 1);
    // Version 1.10.8 reads address 0; another one may tell that the file is damaged.
    CHECK_THAT(set.skipped[0], Contains("02_01_01.hdf5") && (Contains("crashed (Segmentation fault)") ||
                                                             Contains("damaged") || Contains("expected an array")));
    CHECK_FALSE(fs::exists(out / "frames/02_01_01"));
    fs::remove(root / "01_01_01.hdf5");
    CHECK_THROWS_WITH(import_frames("3dmad", folder / "3DMAD", out), Contains("02_01_01.hdf5"));
    // The same groups hold WMCA's frames.
    const fs::path wmca = folder / "WMCA", face = wmca / "preprocessed-face-station_RGB/face-station/1";
    for (const char* name : {"514_01_000_0_00.hdf5", "514_01_035_1_05.hdf5"})
        Hdf5Writer(face / name).array("Frame_0/array", {3, 6, 8}, H5T_NATIVE_UINT8);
    break_first_child(face / "514_01_035_1_05.hdf5");
    const Dataset faces = import_frames("wmca", wmca, out, "none");
    CHECK(faces.size() == 1);
    CHECK(faces.skipped.size() == 1);
}

TEST_CASE("An HDF5 file whose reader is killed or too slow is named, and stays lost") {
    const TemporaryFolder folder;
    write_mask_recording(folder / "a.hdf5");
    const Hdf5File file(folder / "a.hdf5");
    CHECK(file.shape("Eye_Pos") == std::vector<int64_t>{5, 4});
    CHECK(file.names_in("") == std::vector<std::string>{"Color_Data", "Depth_Data", "Eye_Pos"});
    CHECK(file.numbers("Eye_Pos", 1) == std::vector<double>{4, 5, 6, 7});
    CHECK(file.words("Depth_Data", 4).size() == 48);
    CHECK_THROWS_WITH(file.bytes("Depth_Data"), Contains("a.hdf5") && Contains("another type"));
    CHECK(file.has("Color_Data"));
    CHECK_FALSE(file.has("Colour_Data"));
    ::kill(file.process(), SIGKILL);
    for (int again = 0; again < 2; ++again)
        CHECK_THROWS_WITH(file.has("Color_Data"),
                          Contains("a.hdf5: expected a sound HDF5 file, but the HDF5 library was killed"));
    const Hdf5File stopped(folder / "a.hdf5", {.answer = std::chrono::milliseconds(200)});
    ::kill(stopped.process(), SIGSTOP);
    CHECK_THROWS_WITH(stopped.shape("Color_Data"), Contains("did not finish within 0.2 s"));
    rlimit files{}, none{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    none = files;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
    std::string unstarted;
    try {
        const Hdf5File lost(folder / "a.hdf5");
    } catch (const liven::Error& error) {
        unstarted = error.what();
    }
    ::setrlimit(RLIMIT_NOFILE, &files);
    CHECK_THAT(unstarted, Contains("the HDF5 library could not be started") && Contains("open files"));
    // A frame of 384 MB is more than this one may take, and more than other tests have freed in one piece.
    Hdf5Writer(folder / "large.hdf5").array("Depth_Data", {1, 3, 8'000, 8'000}, H5T_NATIVE_UINT16, true);
    const Hdf5File large(folder / "large.hdf5", {.memory = 32 << 20});
#ifdef __SANITIZE_ADDRESS__  // whose operator new ends the process instead of throwing
    const char* ends = "ended without an answer (status 1)";
#else
    const char* ends = "more memory than it may have";
#endif
    CHECK_THROWS_WITH(large.words("Depth_Data", 0), Contains(ends));
}

TEST_CASE("What answers beside answers the same in this process") {
    const TemporaryFolder folder;
    write_mask_recording(folder / "a.hdf5");
    const Hdf5File beside(folder / "a.hdf5");
    Hdf5Library here;
    using Kind = Hdf5Request::Kind;
    CHECK_THROWS_WITH(here.answer({.kind = Kind::has, .name = "Color_Data"}), "no file is open");
    CHECK_THROWS_WITH(here.answer({.kind = Kind::open, .name = (folder / "b.hdf5").string()}),
                      Contains("no HDF5 file"));
    here.answer({.kind = Kind::open, .name = (folder / "a.hdf5").string()});
    CHECK(here.answer({.kind = Kind::bytes, .index = 2, .name = "Color_Data"}) == beside.bytes("Color_Data", 2));
    CHECK(here.answer({.kind = Kind::has, .name = "Eye_Pos"}) == std::vector<uint8_t>{1});
    CHECK(here.answer({.kind = Kind::shape, .name = "Eye_Pos"}).size() == 2 * sizeof(int64_t));
    CHECK(here.answer({.kind = Kind::names, .name = ""}).size() ==
          std::string("Color_Data/Depth_Data/Eye_Pos/").size());
    CHECK_THROWS_WITH(here.answer({.kind = Kind::names, .name = "Eye_Pos"}), Contains("expected a group"));
    CHECK_THROWS_WITH(here.answer({.kind = Kind::numbers, .index = 5, .name = "Eye_Pos"}),
                      Contains("ends before number 5"));
}

TEST_CASE("Depth that is no number is a counted skip that leaves no picture; eyes that are none leave out the box") {
    const TemporaryFolder folder;
    const fs::path root = folder / "3DMAD/Data", out = folder / "out";
    {
        Hdf5Writer depth(root / "01_01_01.hdf5"), eyes(root / "01_03_01.hdf5");
        for (Hdf5Writer* file : {&depth, &eyes}) file->array("Color_Data", {5, 3, 6, 8}, H5T_NATIVE_UINT8);
        depth.no_numbers("Depth_Data", {5, 1, 6, 8});
        eyes.no_numbers("Eye_Pos", {5, 4});
    }
    const Dataset set = import_frames("3dmad", folder / "3DMAD", out);
    REQUIRE(set.size() == 2);
    for (const Sample& sample : set.samples) {
        CHECK(sample.video == "01_03_01");
        CHECK_FALSE(sample.box.has_value());
        CHECK(sample.landmarks.empty());
        CHECK(decode(sample.path).width == 8);
    }
    REQUIRE(set.skipped.size() == 1);
    CHECK_THAT(set.skipped[0], Contains("01_01_01.hdf5") && Contains("Depth_Data") && Contains("another type"));
    CHECK_FALSE(fs::exists(out / "frames/01_01_01"));
}

TEST_CASE("CSMAD: frames are named by their time; the subject of a mask is whose face it has") {
    const TemporaryFolder folder;
    const fs::path root = folder / "CSMAD", out = folder / "out";
    const auto recording = [&](const std::string& name) {
        Hdf5Writer file(root / name);
        for (const char* time : {"16_37_01_151", "16_37_01_184", "16_37_02_020"}) {
            file.array(std::string("data/sr300/color/") + time, {6, 8, 3}, H5T_NATIVE_UINT8);
            file.array(std::string("data/sr300/depth/") + time, {6, 8}, H5T_NATIVE_UINT16);
        }
    };
    recording("bonafide/A/A_gen_i0_061.h5");
    recording("bonafide/B/B_genglasses_i3_002.h5");
    CHECK_THROWS_WITH(import_frames("csmad", root, out), Contains("attack"));
    recording("attack/WEAR/A/E_atk_A1_i0_001.h5");
    recording("attack/STAND/A/Mask_atk_A1_i2_001.h5");
    recording("attack/STAND/A/A_gen_i0_061.h5");
    const Dataset set = import_frames("csmad", folder.path(), out);
    REQUIRE(set.size() == 8);
    CHECK(set.count(Label::attack) == 4);
    CHECK(set.samples.back().subject == "A");
    CHECK(types_of(set) == std::set<std::string>{"", "silicone-mask-worn", "silicone-mask-stand"});
    CHECK(decode(set.samples[0].path).at(1, 0)[0] == 3);
    CHECK_FALSE(set.samples[0].depth_path.empty());
    CHECK(set.skipped.size() == 1);
}

TEST_CASE("WMCA: the instrument stands in the name, the split in the protocol") {
    const TemporaryFolder folder;
    const fs::path root = folder / "WMCA", out = folder / "out";
    const auto recording = [&](const std::string& name) {
        Hdf5Writer file(root / "preprocessed-face-station_RGB/face-station/31.01.18" / (name + ".hdf5"));
        for (const char* frame : {"Frame_0", "Frame_2", "Frame_10"})
            file.array(std::string(frame) + "/array", {3, 6, 8}, H5T_NATIVE_UINT8);
    };
    for (const char* name : {"514_01_000_0_00", "514_01_035_1_05", "100_03_015_2_10", "101_01_001_3_05"})
        recording(name);
    CHECK_THROWS_WITH(import_frames("wmca", root, out), Contains("wmca-protocols-csv"));
    write_bytes(root / "wmca-protocols-csv/PROTOCOL-grandtest.csv",
                "path,label,type,group\n"
                "face-station/31.01.18/514_01_000_0_00,0,bonafide,train\n"
                "face-station/31.01.18/514_01_035_1_05,1,glasses,dev\n"
                "face-station/31.01.18/100_03_015_2_10,1,papermask,eval\n"
                "face-station/31.01.18/999_01_000_0_00,0,bonafide,eval\n");
    const Dataset set = import_frames("wmca", root, out);
    CHECK(set.size() == 6);
    CHECK(set.count(Split::train) == 2);
    CHECK(set.count(Split::val) == 2);
    CHECK(types_of(set) == std::set<std::string>{"", "glasses", "papermask"});
    CHECK(set.skipped.size() == 1);
    CHECK_THAT(set.warnings.at(0), Contains("1 recordings are not in protocol"));
    const Dataset all = import_frames("wmca", root, out, "none");
    CHECK(all.size() == 8);
    CHECK(types_of(all).count("replay") == 1);
}
#else
TEST_CASE("A data set in HDF5 says that this build has none") {
    const TemporaryFolder folder;
    for (const char* name : {"3dmad", "csmad", "wmca"})
        CHECK_THROWS_WITH(import_frames(name, folder.path(), folder / "out"), Contains("HDF5"));
}
#endif
