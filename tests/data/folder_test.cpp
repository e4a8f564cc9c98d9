#include "liven/data/folder.hpp"

#include <catch2/catch.hpp>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/split.hpp"
#include "tests/without_rights.hpp"

using namespace liven::data;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {
/// The folder adapter looks at names only.
void touch(const fs::path& path) { write_bytes(path, "x"); }
const Sample& named(const Dataset& d, const std::string& name) {
    for (const Sample& s : d.samples)
        if (s.path.filename() == name) return s;
    throw std::runtime_error("no sample " + name);
}
}  // namespace

TEST_CASE("The layout of NUAA: client and imposter, a folder a subject, the same people in both") {
    TemporaryFolder root;
    touch(root / "ClientRaw/0001/0001_00_00_01_0.jpg");
    touch(root / "ClientRaw/0001/Thumbs.db");
    touch(root / "ClientRaw/0002/0002_01_03_02_17.jpg");
    touch(root / "ImposterRaw/0001/0001_00_00_03_5.jpg");
    touch(root / "client_train_raw.txt");
    touch(root / ".DS_Store");
    const Dataset d = read_folder(root.path());
    REQUIRE(d.size() == 3);
    CHECK(d.count(Label::bonafide) == 2);
    CHECK(named(d, "0001_00_00_01_0.jpg").subject == "0001");
    CHECK(named(d, "0001_00_00_03_5.jpg").subject == "0001");
    CHECK(named(d, "0001_00_00_03_5.jpg").label == Label::attack);
    CHECK(named(d, "0002_01_03_02_17.jpg").frame == 17);
    REQUIRE(d.skipped.size() == 1);
    CHECK_THAT(d.skipped[0], Contains("client_train_raw.txt"));
    CHECK(find_leaks(d).empty());
}

TEST_CASE("Class folders in any case, under split folders, with attack types, subjects and videos") {
    TemporaryFolder root;
    touch(root / "Train/LIVE/anna/take1/f_001.PNG");
    touch(root / "Train/Spoof/print/anna/take2/f_002.jpeg");
    touch(root / "devel/bona-fide/ben/f3.bmp");
    touch(root / "test/fake_faces/carl/f4.webp");
    touch(root / "test/genuine/x.ppm");
    const Dataset d = read_folder(root.path());
    REQUIRE(d.size() == 5);
    CHECK(named(d, "f_001.PNG").split == Split::train);
    CHECK(named(d, "f_001.PNG").subject == "anna");
    CHECK(named(d, "f_001.PNG").frame == 1);
    CHECK(named(d, "f_002.jpeg").attack_type == "print");
    CHECK(named(d, "f_002.jpeg").subject == "anna");
    CHECK(named(d, "f_001.PNG").video != named(d, "f_002.jpeg").video);
    CHECK(named(d, "f3.bmp").split == Split::val);
    CHECK(named(d, "f3.bmp").label == Label::bonafide);
    CHECK(named(d, "f4.webp").label == Label::attack);
    CHECK(named(d, "x.ppm").subject.empty());
}

TEST_CASE("The layout published with the four CNNs groups by the file's name") {
    TemporaryFolder root;
    touch(root / "CSMAD/images/attack_training/video_A_12.jpg");
    touch(root / "CSMAD/images/attack_training/video_A_13.jpg");
    touch(root / "CSMAD/images/bonafide_validation/video_B_1.jpg");
    const Dataset d = read_folder(root.path());
    REQUIRE(d.size() == 3);
    CHECK(named(d, "video_A_12.jpg").video == named(d, "video_A_13.jpg").video);
    CHECK(named(d, "video_A_12.jpg").split == Split::train);
    CHECK(named(d, "video_A_12.jpg").dataset == "CSMAD");
    CHECK(named(d, "video_B_1.jpg").split == Split::val);
    CHECK(named(d, "video_B_1.jpg").label == Label::bonafide);
}

TEST_CASE("Links are followed once, and a loop ends") {
    TemporaryFolder root;
    touch(root / "real/a.png");
    touch(root / "fake/b.png");
    fs::create_directory_symlink(root.path(), root / "real/up");
    fs::create_directory_symlink(root / "fake", root / "alias");
    fs::create_symlink(root / "nowhere", root / "real/dangling");
    const Dataset d = read_folder(root.path());
    CHECK(d.size() == 2);
    CHECK(d.count(Label::attack) == 1);
}

TEST_CASE("Folders that cannot be read are named") {
    TemporaryFolder root;
    touch(root / "real/a.png");
    touch(root / "fake/b.png");
    touch(root / "fake/closed/c.png");
    fs::permissions(root / "fake/closed", fs::perms::none);
    Dataset d;
    {
        const WithoutRights rights;
        d = read_folder(root.path());
    }
    fs::permissions(root / "fake/closed", fs::perms::owner_all);
    CHECK(d.size() == 2);
    REQUIRE(d.warnings.size() == 1);
    CHECK_THAT(d.warnings[0], Contains("closed"));
}

TEST_CASE("A folder without classes or pictures says what is expected") {
    TemporaryFolder root;
    CHECK_THROWS_WITH(read_folder(root.path()), Contains("no pictures") && Contains("bonafide"));
    touch(root / "holiday/a.png");
    CHECK_THROWS_WITH(read_folder(root.path()), Contains("class folder"));
    CHECK_THROWS_WITH(read_folder(root / "none"), Contains("folder"));
    touch(root / "real/b.png");
    CHECK_THAT(read_folder(root.path()).warnings[0], Contains("1 pictures lie outside"));
}
