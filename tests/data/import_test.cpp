#include "liven/data/import.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "helpers.hpp"
#include "import_helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/manifest.hpp"
#include "src/data/import/hdf5.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;
namespace fs = std::filesystem;

namespace {

Dataset import_all(const std::string& name, const fs::path& source, ImportOptions options = {.frames = 2}) {
    options.threads = 1;
    return import_dataset(find_importer(name), source, options);
}

}  // namespace

TEST_CASE("Every importer says what it expects, and its name finds it") {
    std::set<std::string_view> names;
    for (const Importer* importer : importers()) {
        CHECK(&find_importer(importer->name) == importer);
        CHECK(names.insert(importer->name).second);
        for (const std::string_view text : {importer->title, importer->citation, importer->layout})
            CHECK(!text.empty());
    }
    CHECK(names.size() == 15);
    CHECK_THROWS_WITH(find_importer("replay"), Contains("replay-attack"));
}

TEST_CASE("An empty or missing folder is an error of every importer that says what it expected") {
    const TemporaryFolder folder;
    fs::create_directories(folder / "empty");
    for (const Importer* importer : importers()) {
        INFO(importer->name);
        const ImportOptions options{.output = folder / "out", .threads = 1};
        if (!has_hdf5() && importer->layout.find("HDF5") != std::string_view::npos) {
            CHECK_THROWS_WITH(import_dataset(*importer, folder / "empty", options), Contains("without HDF5"));
            continue;
        }
        CHECK_THROWS_WITH(import_dataset(*importer, folder / "empty", options),
                          Contains((folder / "empty").string()) && Contains("expected"));
        CHECK_THROWS_WITH(import_dataset(*importer, folder / "nowhere", options),
                          Contains((folder / "nowhere").string()) && Contains("no such folder"));
        CHECK_THROWS_WITH(import_dataset(*importer, folder / "empty", {.protocol = "new", .threads = 1}),
                          Contains("protocol"));
    }
    CHECK_FALSE(fs::exists(folder / "out"));
}

TEST_CASE("Replay-Attack: device, client and split stand in the name, boxes in face-locations") {
    const TemporaryFolder folder;
    const fs::path root = folder / "Replay Attack \xC3\xA9";
    for (const std::string part : {"train", "devel", "test"}) {
        write_clip(root / part / "real/client001_session01_webcam_authenticate_adverse_1.mov");
        write_clip(root / part / "attack/fixed/attack_print_client001_session01_highdef_photo_adverse.mov");
        write_clip(root / part / "attack/hand/attack_mobile_client001_session01_mobile_video_controlled.mov");
    }
    write_bytes(root / "face-locations/train/real/client001_session01_webcam_authenticate_adverse_1.face",
                "0 0 0 0 0\n3 4 5 10 12\n14 900 900 10 12\n");
    const Dataset set = import_all("replay-attack", root);
    REQUIRE(set.size() == 18);
    CHECK(set.count(Label::bonafide) == 6);
    CHECK(set.count(Split::val) == 6);
    CHECK(set.samples[0].subject == "client001");
    CHECK(set.samples[0].frame == 3);  // of 20 frames: 15 % and the last before 85 %
    CHECK(set.samples[1].frame == 16);
    CHECK(set.samples[0].box == Box{4, 5, 10, 12});
    CHECK_FALSE(set.samples[1].box);  // beside the picture
    CHECK_THAT(set.warnings.at(0), Contains("1 face boxes"));
    CHECK(types_of(set) == std::set<std::string>{"", "print", "mobile"});
    CHECK(types_of(import_all("replay-attack", root, {.protocol = "print", .frames = 2})) ==
          std::set<std::string>{"", "print"});
    CHECK(import_all("replay-attack", root, {.protocol = "none"}).count(Split::none) == 90);
    CHECK(import_all("replay-attack", root, {.frames = 0}).size() == 9);
    fs::remove_all(root / "devel/attack");
    CHECK_THROWS_WITH(import_all("replay-attack", root), Contains("folder attack") && Contains("real/"));
}

TEST_CASE("A manifest made of an import is read back the same") {
    const TemporaryFolder folder;
    const fs::path root = folder / "a, \"b\"";
    for (const std::string part : {"train", "test"}) write_clip(root / (part + "_release") / "1/HR_1.avi");
    const Dataset set = import_all("casia-fasd", root);
    fs::create_directories(folder / "out");
    write_manifest(set, folder / "out/manifest.csv");
    const Dataset again = read_manifest(folder / "out/manifest.csv");
    REQUIRE(again.size() == set.size());
    for (size_t i = 0; i < again.samples.size(); ++i) {
        CHECK(again.samples[i].path == set.samples[i].path);
        CHECK(again.samples[i].frame == set.samples[i].frame);
        CHECK(again.samples[i].split == set.samples[i].split);
    }
}

TEST_CASE("Broken, foreign and short videos are named, the others are taken") {
    const TemporaryFolder folder;
    const fs::path root = folder / "casia";
    write_clip(root / "train_release/1/1.avi", 3);
    write_bytes(root / "train_release/1/3.avi", "no video");
    write_bytes(root / "train_release/1/4.avi", "");
    write_clip(root / "train_release/1/9.avi");
    write_clip(root / "test_release/1/8.avi");
    const Dataset set = import_all("casia-fasd", root, {.frames = 10, .verify = true});
    CHECK(set.size() == 13);
    CHECK(set.skipped.size() == 3);
    CHECK(set.samples.front().subject == "train-1");
    CHECK(set.samples.back().subject == "test-1");
    CHECK(set.samples.back().attack_type == "replay");
    CHECK_THROWS_AS(import_all("casia-fasd", root, {.frames = -1}), Error);
    fs::remove_all(root / "test_release");
    CHECK_THROWS_WITH(import_all("casia-fasd", root), Contains("test_release") && Contains("train_release/"));
}

TEST_CASE("A video that ends early is left out when the import verifies") {
    const TemporaryFolder folder;
    const fs::path root = folder / "casia", cut = root / "train_release/1/3.avi";
    write_clip(root / "train_release/1/1.avi");
    write_clip(root / "test_release/1/1.avi");
    write_clip(cut);
    fs::resize_file(cut, fs::file_size(cut) / 2);
    // The head of the file still says twenty.
    CHECK(import_all("casia-fasd", root, {.frames = 5}).size() == 15);
    const Dataset set = import_all("casia-fasd", root, {.frames = 5, .verify = true});
    CHECK(set.size() == 10);
    for (const Sample& sample : set.samples) CHECK(sample.path != cut);
    REQUIRE(set.skipped.size() == 1);
    CHECK_THAT(set.skipped[0], Contains(cut.string()) && Contains("the video ends, or is damaged, after"));
}

TEST_CASE("MSU-MFSD: the lists of subjects divide, boxes come as corners") {
    const TemporaryFolder folder;
    const fs::path root = folder / "msu";
    write_clip(root / "scene01/real/real_client001_android_SD_scene01.mp4");
    write_bytes(root / "scene01/real/real_client001_android_SD_scene01.face", "3,4,5,14,17,1,1,2,2\n");
    write_clip(root / "scene01/real/real_client002_laptop_SD_scene01.mov");
    write_clip(root / "scene01/attack/attack_client002_laptop_SD_ipad_video_scene01.mov");
    write_clip(root / "scene01/attack/attack_client002_laptop_SD_printed_photo_scene01.mov");
    write_clip(root / "scene01/attack/attack_client055_laptop_SD_iphone_video_scene01.mov");
    write_bytes(root / "train_sub_list.txt", "02\r\n03\r\n");
    CHECK_THROWS_WITH(import_all("msu-mfsd", root), Contains("test_sub_list.txt"));
    write_bytes(root / "test_sub_list.txt", "01\n");
    const Dataset set = import_all("msu-mfsd", root);
    CHECK(set.size() == 8);
    CHECK(set.count(Split::train) == 6);
    CHECK(set.count(Split::test) == 2);
    CHECK(set.samples[0].box == Box{4, 5, 10, 12});
    CHECK(types_of(set) == std::set<std::string>{"", "replay-ipad", "print"});
    CHECK(set.skipped.size() == 1);  // client 55 is in neither list
}

TEST_CASE("OULU-NPU: the four protocols follow from phone, session and file") {
    const TemporaryFolder folder;
    const fs::path root = folder / "oulu";
    for (const auto& [part, user] : {std::pair{"Train", "01"}, std::pair{"Dev", "21"}, std::pair{"Test", "36"}})
        for (const char phone : {'1', '2'})
            for (const char session : {'1', '3'})
                for (const char file : {'1', '2', '3', '4', '5'}) {
                    const std::string name = std::string{phone} + '_' + session + '_' + user + '_' + file;
                    write_clip(root / (std::string(part) + "_files") / (name + ".avi"), 4);
                }
    write_bytes(root / "Train_files/1_1_01_1.txt", "0,10,10,20,10\n1,10,10,20,10\n2,0,0,0,0\n");
    const auto videos = [&](const std::string& protocol, Split split) {
        return import_all("oulu-npu", root, {.protocol = protocol, .frames = 1}).count(split);
    };
    CHECK(videos("all", Split::train) == 20);
    CHECK(videos("1", Split::train) == 10);
    CHECK(videos("1", Split::test) == 10);
    CHECK(videos("2", Split::train) == 12);
    CHECK(videos("2", Split::test) == 12);
    CHECK(videos("3.1", Split::val) == 10);
    CHECK(videos("3.3", Split::test) == 0);
    CHECK(videos("4.1", Split::train) == 3);
    CHECK(videos("4.1", Split::test) == 3);
    const Dataset set = import_all("oulu-npu", root, {.frames = 2});
    CHECK(set.samples[0].subject == "01");
    CHECK(set.samples[0].box == Box{5, 3, 20, 24});  // eyes 10 apart around (15, 10)
    CHECK(set.samples[0].landmarks == std::vector<Point>{{10, 10}, {20, 10}});
    CHECK(types_of(set) == std::set<std::string>{"", "print-1", "print-2", "replay-1", "replay-2"});
    CHECK_THROWS_AS(import_all("oulu-npu", root, {.protocol = "3.7"}), Error);
}

TEST_CASE("SiW-M: each of 13 protocols keeps its attack for testing") {
    const TemporaryFolder folder;
    const fs::path root = folder / "SiW-M";
    const std::vector<std::string> types{"Paper",
                                         "Replay",
                                         "Mask/HalfMask",
                                         "Mask/SiliconeMask",
                                         "Mask/TransparentMask",
                                         "Mask/PaperMask",
                                         "Mask/MannequinHead",
                                         "Makeup/Obfuscation",
                                         "Makeup/Impersonation",
                                         "Makeup/Cosmetic",
                                         "Partial/FunnyeyeGlasses",
                                         "Partial/PaperGlasses",
                                         "Partial/PaperCut"};
    for (const std::string& type : types) write_clip(root / type / "1.mov", 4);
    write_clip(root / "Live/Train/Live_1.mov", 4);
    write_clip(root / "Live/Test/Live_2.mov", 4);
    std::istringstream protocols{std::string(find_importer("siw-m").protocols)};
    int kept = 0;
    for (std::string protocol; protocols >> protocol; ++kept) {
        INFO(protocol);
        const Dataset set = import_all("siw-m", folder.path(), {.protocol = protocol, .frames = 1});
        CHECK(set.size() == 15);
        CHECK(set.count(Split::test) == 2);
        for (const Sample& s : set.samples)
            CHECK((s.split == Split::test) == (s.attack_type == protocol || s.video == "Live/Test/Live_2.mov"));
        CHECK(types_of(set).size() == 14);
    }
    CHECK(kept == 13);
    CHECK(import_all("siw-m", root, {.protocol = "none", .frames = 1}).count(Split::none) == 15);
    fs::remove_all(root / "Mask/PaperMask");
    CHECK_THROWS_WITH(import_all("siw-m", root), Contains("Mask/PaperMask") && Contains("Mask/"));
}

TEST_CASE("NUAA: the lists divide; what they name in vain is counted") {
    const TemporaryFolder folder;
    const fs::path root = folder / "raw";
    for (const char* who : {"ClientRaw", "ImposterRaw"})
        for (const char* name : {"0001/0001_00_00_01_0.jpg", "0001/0001_00_00_02_7.jpg"})
            write_picture(root / who / name);
    write_bytes(root / "client_train_raw.txt", "0001/0001_00_00_01_0.jpg\r\n0002/0002_00_00_01_0.jpg\r\n");
    write_bytes(root / "client_test_raw.txt", "0001\\0001_00_00_02_7.jpg\n0001\\0001_00_00_02_7.jpg\n");
    write_bytes(root / "imposter_train_raw.txt", "0001/0001_00_00_01_0.jpg\n");
    CHECK_THROWS_WITH(import_all("nuaa", root), Contains("imposter_test_raw.txt"));
    write_bytes(root / "imposter_test_raw.txt", "0001/0001_00_00_02_7.jpg\n");
    const Dataset set = import_all("nuaa", root);
    REQUIRE(set.size() == 4);
    CHECK(set.count(Label::attack) == 2);
    CHECK(set.count(Split::test) == 2);
    CHECK(set.skipped.size() == 2);  // one is not there, one is listed twice
    CHECK(set.samples[0].video == "bonafide/0001_00_00_01");
    CHECK(set.samples[0].subject == "0001");
    CHECK(set.samples[2].frame == 7);
}

TEST_CASE("CASIA-SURF: 1 is bona fide, depth is found by its name") {
    const TemporaryFolder folder;
    const fs::path root = folder / "surf";
    const auto row = [&](const std::string& stem, bool folders, const char* label) {
        std::string line;
        for (const char* channel : {"color", "ir", "depth"}) {
            const std::string path = folders ? stem + '/' + channel + "/31.jpg" : stem + '-' + channel + ".jpg";
            write_picture(root / path);
            line += path + ' ';
        }
        return line + label + '\n';
    };
    write_bytes(root / "train_list.txt", row("Training/real_part/CLKJ_AS0005/real.rssdk", true, "1") +
                                             row("Training/fake_part/CLKJ_AS0005/01_enm_b.rssdk", true, "0"));
    CHECK_THROWS_WITH(import_all("casia-surf", root), Contains("val_private_list.txt"));
    write_bytes(root / "val_private_list.txt", row("Val/0000/000000", false, "0"));
    const Dataset set = import_all("casia-surf", root);
    REQUIRE(set.size() == 3);
    CHECK(set.samples[0].label == Label::bonafide);
    CHECK(set.samples[0].subject == "CLKJ_AS0005");
    CHECK_THAT(set.samples[0].depth_path, Contains("/depth/31.jpg"));
    CHECK(set.samples[1].attack_type == "01_enm_b");
    CHECK(set.samples[2].split == Split::val);
    CHECK(set.samples[2].attack_type == "print");
    CHECK_THAT(set.samples[2].depth_path, Contains("000000-depth.jpg"));
    write_bytes(root / "val_private_list.txt", "Val/0000/000000-color.jpg Val/0000/000000-depth.jpg\n");
    CHECK_THROWS_WITH(import_all("casia-surf", root), Contains("label"));
}

TEST_CASE("HiFiMask: folders of pictures, divided by the lists of the protocol") {
    const TemporaryFolder folder;
    const fs::path root = folder / "CASIA_HiFiMask";
    for (const std::string video : {"1_05_0_2_6_1", "1_17_3_6_1_5", "2_51_2_1_2_5"})
        for (int i = 0; i < 4; ++i) write_picture(root / "Data" / video / ("000" + std::to_string(i) + ".png"));
    const auto list = [&](const char* part, const std::string& text) {
        write_bytes(root / "protocol" / (std::string("CASIA_HiFiMask@p1_video_") + part + ".txt"), text);
    };
    list("train", "CASIA_HiFiMask/Data/1_05_0_2_6_1 0\nCASIA_HiFiMask/Data/9_99_0_1_1_1 0\n");
    list("dev", "CASIA_HiFiMask/Data/1_17_3_6_1_5 1\n");
    list("test", "CASIA_HiFiMask/Data/2_51_2_1_2_5 1\n");
    const Dataset set = import_all("hifimask", folder.path());
    CHECK(set.size() == 6);
    CHECK(set.samples[0].subject == "05");
    CHECK(types_of(set) == std::set<std::string>{"", "plaster", "resin"});
    CHECK(set.count(Split::val) == 2);
    CHECK(set.skipped.size() == 1);
    CHECK(import_all("hifimask", root, {.protocol = "none", .frames = 0}).size() == 12);
    CHECK_THROWS_WITH(import_all("hifimask", root, {.protocol = "p3"}), Contains("p3_video_train.txt"));
    list("dev", "CASIA_HiFiMask/Data/1_17_3_6_1_5 0\n");
    CHECK_THROWS_WITH(import_all("hifimask", root), Contains("label"));
}

TEST_CASE("CelebA-Spoof: 44 labels, and boxes that are given for 224 x 224") {
    const TemporaryFolder folder;
    const fs::path root = folder / "CelebA_Spoof";
    const auto labels = [](int type, int spoof) {
        std::string text = "[";
        for (int i = 0; i < 40; ++i) text += "0,";
        return text + std::to_string(type) + ",1,1," + std::to_string(spoof) + "]";
    };
    write_picture(root / "Data/train/1/live/000184.png", 1, 448, 112);
    write_bytes(root / "Data/train/1/live/000184_BB.txt", "56 56 112 112 0.99\n");
    write_picture(root / "Data/train/1/spoof/000185.jpg", 2, 448, 112);
    write_bytes(root / "Data/train/1/spoof/000185_BB.txt", "500 500 10 10 0.99\n");
    write_picture(root / "Data/test/2/spoof/000186.jpg", 3, 224, 448);
    write_bytes(root / "Data/test/2/spoof/000186_BB.txt", "20 10 40 50 0.99\n");
    write_bytes(root / "metas/intra_test/train_label.json",
                R"({"Data/train/1/live/000184.png": )" + labels(0, 0) + R"(, "Data/train/1/spoof/000185.jpg": )" +
                    labels(7, 1) + R"(, "Data/train/1/spoof/0.jpg": )" + labels(7, 1) + "}");
    CHECK_THROWS_WITH(import_all("celeba-spoof", root), Contains("test_label.json"));
    write_bytes(root / "metas/intra_test/test_label.json",
                R"({"Data/test/2/spoof/000186.jpg": )" + labels(10, 1) + "}");
    const Dataset set = import_all("celeba-spoof", folder.path());
    REQUIRE(set.size() == 3);
    CHECK(set.samples[0].box == Box{112, 28, 224, 56});
    CHECK(set.samples[0].subject == "1");
    CHECK_FALSE(set.samples[1].box);  // beside the picture
    CHECK(set.samples[1].attack_type == "pc-screen");
    CHECK(set.samples[2].box == Box{20, 20, 40, 100});
    CHECK(set.samples[2].split == Split::test);
    CHECK(set.skipped.size() == 1);
    write_bytes(root / "metas/intra_test/test_label.json", R"({"Data/test/2/spoof/000186.jpg": [1, 2]})");
    CHECK_THROWS_WITH(import_all("celeba-spoof", root), Contains("44"));
    write_bytes(root / "metas/intra_test/test_label.json", "[[[");
    CHECK_THROWS_AS(import_all("celeba-spoof", root), Error);
}

TEST_CASE("MSSpoof: spectrum and client stand in the name, the split in a folder") {
    const TemporaryFolder folder;
    const fs::path root = folder / "msspoof";
    write_picture(root / "train/real/02_0_1_3_1.png");
    write_picture(root / "dev/attack/01_3_vs_ir_2_4.png");
    write_picture(root / "test/attack/22_1_ir_vs_1_1.png");
    write_picture(root / "test/enroll/22_0_1_1_1.png");
    write_picture(root / "test/real/portrait.png");
    const Dataset set = import_all("msspoof", root);
    REQUIRE(set.size() == 3);
    CHECK(set.count(Split::train) == 1);
    CHECK(set.samples[0].subject == "01");
    CHECK(set.samples[0].attack_type == "print-vs");
    CHECK(set.samples[0].modality == "infrared");
    CHECK(set.skipped.size() == 1);
    CHECK(import_all("msspoof", root, {.protocol = "visible"}).size() == 2);
    fs::rename(root / "train", root / "other");
    const Dataset undivided = import_all("msspoof", root);
    CHECK(undivided.count(Split::none) == 3);
    CHECK_THAT(undivided.warnings.back(), Contains("divide by subject"));
}

TEST_CASE("The authors' layout needs its four folders, any tree of classes is taken by name") {
    const TemporaryFolder folder;
    const fs::path images = folder / "csmad/images";
    for (const char* name : {"attack_training", "attack_validation", "bonafide_training"})
        for (int i = 0; i < 2; ++i) write_picture(images / name / ("A_01_" + std::to_string(i) + ".png"));
    CHECK_THROWS_WITH(import_all("attacknet", folder.path()), Contains("bonafide_validation"));
    write_picture(images / "bonafide_validation/A_01_0.png");
    const Dataset set = import_all("attacknet", folder.path());
    CHECK(set.size() == 7);
    CHECK(set.count(Split::val) == 3);
    CHECK(set.samples[0].dataset == "csmad");
    write_clip(folder / "tree/live/anna/1.avi");
    write_picture(folder / "tree/spoof/print/anna/1.png");
    const Dataset tree = import_all("folders", folder / "tree");
    CHECK(tree.size() == 3);
    CHECK(tree.count(Label::bonafide) == 2);
}
