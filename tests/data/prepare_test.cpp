#include "liven/data/prepare.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <map>
#include <sstream>

#include "liven/core/error.hpp"
#include "liven/data/manifest.hpp"
#include "tests/data/import_helpers.hpp"
#include "tests/without_rights.hpp"

using namespace liven;
using namespace liven::data;
namespace fs = std::filesystem;

namespace {

/// A face-like thing with structure: its quality is above that of even pictures.
Image busy_picture(int width, int height, uint64_t seed) {
    Image image = picture(width, height, seed);
    Random random(seed + 100);
    for (uint8_t& v : image.pixels) v = static_cast<uint8_t>(v / 2 + random.below(100));
    return image;
}

/// Four pictures a class with boxes and eyes, one that is even, one that is broken; in a folder with a blank and
/// letters beyond ASCII in its name.
struct SmallSet {
    TemporaryFolder folder;
    fs::path source = folder / "Gesichter für Übung";
    Dataset set;

    SmallSet() {
        for (int i = 0; i < 10; ++i) {
            const fs::path path = source / ("Bild " + std::to_string(i) + ".png");
            fs::create_directories(source);
            if (i == 8)
                write(one_colour(40, 90, 90, 90), path);
            else if (i == 9)
                write_bytes(path, "no picture");
            else
                write(busy_picture(48, 40, static_cast<uint64_t>(i)), path);
            Sample s;
            s.path = path;
            s.label = i % 2 == 0 ? Label::bonafide : Label::attack;
            s.attack_type = i % 2 == 0 ? "" : i % 4 == 1 ? "print" : "replay";
            s.subject = "person " + std::to_string(i / 2);
            s.box = Box{10, 8, 20, 24};
            s.landmarks = {{16, 18}, {26, 17}};
            set.samples.push_back(s);
        }
        set.name = "small";
    }
    PrepareOptions options(const std::string& out = "out") const {
        return {.output = folder / out, .width = 24, .height = 20, .threads = 1};
    }
};

std::map<std::string, std::string> tree_of(const fs::path& folder) {
    std::map<std::string, std::string> out;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) out[fs::relative(entry.path(), folder).string()] = contents_of(entry.path());
    return out;
}

const StageCount& stage_of(const PreparationReport& report, const std::string& name) {
    for (const StageCount& s : report.stages)
        if (s.stage == name) return s;
    throw std::runtime_error("no stage " + name);
}

}  // namespace

TEST_CASE("Prepared pictures come with a manifest that keeps all columns and counts what was left out") {
    const SmallSet small;
    const PreparationReport report = prepare(small.set, small.options());
    CHECK(report.written == 9);
    CHECK(stage_of(report, "listed").classes.total() == 10);
    CHECK(stage_of(report, "readable").left_out == std::map<std::string, int64_t>{{"unreadable", 1}});
    REQUIRE(report.skipped.size() == 1);
    CHECK(report.skipped[0].find("Bild 9.png") != std::string::npos);
    const Dataset made = open_dataset(small.folder / "out");
    REQUIRE(made.size() == 9);
    CHECK(made.warnings.empty());
    for (size_t i = 0; i < 9; ++i) {
        const Sample &got = made.samples[i], &given = small.set.samples[i];
        CHECK(got.label == given.label);
        CHECK(got.subject == given.subject);
        CHECK(got.attack_type == given.attack_type);
        CHECK(got.quality.has_value());
        const Image image = decode(got.path);
        CHECK(image.width == 24);
        CHECK(image.height == 20);
        // Half as wide and high: 10 8 20 24 becomes 5 4 10 12 (of 48 x 40; the even one is 40 x 40).
        if (i < 8) CHECK(got.box == Box{5, 4, 10, 12});
        if (i < 8) CHECK(image == resize(decode(given.path), 24, 20, Interpolation::lanczos));
    }
    CHECK(contents_of(small.folder / "out/manifest.csv").find(small.folder.path().string()) == std::string::npos);
}

TEST_CASE("Boxes are cut out with their margin, and what cannot be cut is a counted skip") {
    SmallSet small;
    std::vector<Sample>& samples = small.set.samples;
    samples[1].box = Box{10, 8, 0, 24};
    samples[2].box = Box{500, 8, 20, 24};
    samples[3].box = Box{NAN, 8, 20, 24};
    samples[4].box.reset();
    samples[5].box = Box{10, 8, 20, 1e9f};
    PrepareOptions options = small.options();
    options.faces = FaceSource::boxes;
    options.margin = 2;
    options.width = options.height = 0;
    const PreparationReport report = prepare(small.set, options);
    CHECK(stage_of(report, "face").left_out ==
          std::map<std::string, int64_t>{{"box empty or outside the picture", 4}, {"no box", 1}});
    const Dataset made = open_dataset(options.output);
    REQUIRE(made.size() == 4);
    const Image image = decode(made.samples[0].path);
    CHECK(image == crop(decode(samples[0].path), {10, 8, 20, 24}, 0.5f));
    CHECK(image.width == 40);
    CHECK(image.height == 48);
    CHECK_FALSE(made.samples[0].box);
    // The window begins at (0, -4).
    CHECK(made.samples[0].landmarks == std::vector<Point>{{16, 22}, {26, 21}});
}

TEST_CASE("Aligned faces have their eyes where the template has them") {
    SmallSet small;
    small.set.samples[0].landmarks.clear();
    small.set.samples[1].landmarks = {{5, 5}, {5, 5}};
    small.set.samples[2].landmarks = {{5, 5}, {5.01f, 5}};
    PrepareOptions options = small.options();
    options.align = true;
    const PreparationReport report = prepare(small.set, options);
    CHECK(stage_of(report, "face").left_out ==
          std::map<std::string, int64_t>{{"landmarks do not fit the picture", 2}, {"no landmarks", 1}});
    const Dataset made = open_dataset(options.output);
    REQUIRE(made.size() == 6);
    // Of 20 pixels the smaller side; the aligned face is cut in whole pixels first, which moves eyes by less than half.
    CHECK(made.samples[0].landmarks[0].x == Approx((38.2946 + 0.5 - 56) * 20 / 112 + 12 - 0.5).margin(0.5));
    CHECK(made.samples[0].landmarks[1].y == Approx((51.5014 + 0.5 - 56) * 20 / 112 + 10 - 0.5).margin(0.5));
}

TEST_CASE("A least quality leaves out the even picture; its gates can be lifted") {
    const SmallSet small;
    PrepareOptions options = small.options();
    options.least_quality = 0.5;
    const PreparationReport report = prepare(small.set, options);
    CHECK(report.written == 8);
    CHECK(stage_of(report, "quality").left_out == std::map<std::string, int64_t>{{"below 0.5", 1}});
    for (const Sample& s : open_dataset(options.output).samples) CHECK(*s.quality >= 0.5);
    int64_t judged = 0;
    for (const int64_t count : report.before.at(0).bonafide) judged += count;
    for (const int64_t count : report.before.at(0).attack) judged += count;
    CHECK(judged == 9);
    PrepareOptions lenient = small.options("lenient");
    lenient.least_quality = 0.0;
    CHECK(stage_of(prepare(small.set, lenient), "quality").left_out.at("too dark, too bright, flat or blurred") == 1);
    lenient.output = small.folder / "no gates";
    lenient.gates = false;
    CHECK(prepare(small.set, lenient).written == 9);
}

TEST_CASE("Enhanced pictures are enhance() of the resized ones, JPEG on request") {
    const SmallSet small;
    PrepareOptions options = small.options();
    options.pictures = Enhancement::photo;
    prepare(small.set, options);
    const Image face = resize(decode(small.set.samples[3].path), 24, 20, Interpolation::lanczos);
    CHECK(decode(open_dataset(options.output).samples[3].path) == enhance(face, Enhancement::photo));
    options = small.options("jpeg");
    options.jpeg = true;
    prepare(small.set, options);
    const fs::path made = open_dataset(options.output).samples[3].path;
    CHECK(made.extension() == ".jpg");
    const std::vector<uint8_t> bytes = encode_jpeg(face, 95);
    CHECK(contents_of(made) == std::string(bytes.begin(), bytes.end()));
}

TEST_CASE("Balancing keeps the best of the larger class") {
    SmallSet small;
    for (size_t i = 0; i < 8; ++i) small.set.samples[i].label = i < 2 ? Label::bonafide : Label::attack;
    small.set.samples.resize(8);
    PrepareOptions options = small.options();
    options.balance = true;
    const PreparationReport report = prepare(small.set, options);
    CHECK(stage_of(report, "balanced").classes.bonafide == 2);
    CHECK(stage_of(report, "balanced").classes.attack == 2);
    const Dataset made = open_dataset(options.output);
    std::vector<double> attacks;
    for (size_t i = 2; i < 8; ++i) attacks.push_back(quality_of(decode(small.set.samples[i].path)).total());
    std::sort(attacks.rbegin(), attacks.rend());
    for (const Sample& s : made.samples)
        if (s.label == Label::attack) CHECK(*s.quality >= Approx(attacks[1]).epsilon(1e-6));
}

TEST_CASE("One and two threads write the same files") {
    const SmallSet small;
    for (const bool balanced : {false, true}) {
        PrepareOptions one = small.options("one"), two = small.options("two");
        two.threads = 2;
        one.pictures = two.pictures = Enhancement::photo;
        one.balance = two.balance = balanced;
        one.overwrite = two.overwrite = true;
        prepare(small.set, one);
        prepare(small.set, two);
        CHECK(tree_of(one.output) == tree_of(two.output));
    }
}

TEST_CASE("Killed at any point, the same call goes on and ends with the same bytes") {
    const SmallSet small;
    PrepareOptions whole = small.options("whole");
    whole.balance = true;
    whole.least_quality = 0.4;
    prepare(small.set, whole);
    const auto expected = tree_of(whole.output);
    CHECK(expected.count(".preparing") == 0);
    // Ten are judged, eight of them written.
    for (const int at : {1, 5, 10, 14, 18, 19}) {
        PrepareOptions options = whole;
        options.output = small.folder / ("killed at " + std::to_string(at));
        const pid_t child = ::fork();
        if (child == 0) {
            int calls = 0;
            const auto die = [&](int64_t, int64_t) {
                if (++calls == at) ::kill(::getpid(), SIGKILL);
            };
            options.judging = options.progress = die;
            prepare(small.set, options);
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        const bool killed = WIFSIGNALED(status);
        CHECK(killed == (at <= 18));
        CHECK(fs::exists(options.output / "manifest.csv") == !killed);
        // What a crash leaves of a line and of a picture.
        if (killed) {
            std::ofstream(options.output / ".preparing", std::ios::app) << R"({"sample":3,"bef)";
            write_bytes(options.output / "images/attack/000001-x.png.77.part", "half");
        }
        CHECK(prepare(small.set, options).found_finished == !killed);
        CHECK(tree_of(options.output) == expected);
    }
}

TEST_CASE("A picture that changed after it was written is made again on the way") {
    const SmallSet small;
    PrepareOptions options = small.options();
    prepare(small.set, options);
    const auto expected = tree_of(options.output);
    PrepareOptions stopped = small.options("stopped");
    stopped.progress = [](int64_t done, int64_t) {
        if (done == 6) throw Error("test", "stop");
    };
    CHECK_THROWS_AS(prepare(small.set, stopped), Error);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(stopped.output / "images"))
        if (entry.is_regular_file()) write_bytes(entry.path(), "");
    stopped.progress = {};
    prepare(small.set, stopped);
    CHECK(tree_of(stopped.output) == expected);
}

TEST_CASE("A finished preparation is left as it is; another, or another's folder, is refused") {
    const SmallSet small;
    PrepareOptions options = small.options();
    prepare(small.set, options);
    CHECK(prepare(small.set, options).found_finished);
    options.width = 30;
    CHECK_THROWS_WITH(prepare(small.set, options), Catch::Contains("another preparation"));
    options.overwrite = true;
    CHECK(prepare(small.set, options).written == 9);
    CHECK(decode(open_dataset(options.output).samples[0].path).width == 30);
    // Nothing but preparations is ever replaced.
    write_manifest(small.set, small.source / "manifest.csv");
    options.output = small.source;
    CHECK_THROWS_WITH(prepare(small.set, options), Catch::Contains("no preparation"));
    write_bytes(small.folder / "holiday/images/beach.jpg", "x");
    options.output = small.folder / "holiday";
    CHECK_THROWS_WITH(prepare(small.set, options), Catch::Contains("no preparation"));
    CHECK(tree_of(options.output).size() == 1);
}

TEST_CASE("A folder that is being prepared is left alone, also by a preparation that may replace it") {
    const SmallSet small;
    PrepareOptions options = small.options();
    prepare(small.set, options);
    const auto replaced = [&](int width, bool overwrite) {
        PrepareOptions other = options;
        other.width = width;
        other.overwrite = overwrite;
        other.progress = {};
        return prepare(small.set, other).written;
    };
    options.width = 30;
    options.overwrite = true;
    int64_t asked = 0;
    options.progress = [&](int64_t done, int64_t) {
        if (done != 5) return;
        ++asked;
        CHECK_THROWS_WITH(replaced(20, true), Catch::Contains("another process"));
        CHECK_THROWS_WITH(replaced(30, false), Catch::Contains("another process"));
    };
    CHECK(prepare(small.set, options).written == 9);
    CHECK(asked == 1);
    CHECK(decode(open_dataset(options.output).samples[8].path).width == 30);
    CHECK(replaced(20, true) == 9);
}

TEST_CASE("A folder that cannot be written to is one error and nothing half written") {
    const SmallSet small;
    PrepareOptions options = small.options();
    options.output = "/proc/liven-test";
    CHECK_THROWS_WITH(prepare(small.set, options), Catch::Contains("/proc/liven-test: cannot be written"));
    write_bytes(small.folder / "file", "x");
    fs::create_directory(small.folder / "closed");
    fs::permissions(small.folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    const auto before = tree_of(small.folder.path());
    for (const char* name : {"file/below", "file", "closed", "closed/below"}) {
        const WithoutRights rights;
        options.output = small.folder / name;
        CHECK_THROWS_WITH(prepare(small.set, options), Catch::Contains(name) && Catch::Contains("cannot be written"));
    }
    CHECK(tree_of(small.folder.path()) == before);
    fs::permissions(small.folder / "closed", fs::perms::owner_all);
}

TEST_CASE("Recordings become frames: some evenly, or every so manieth; one that ends early gives what it has") {
    const TemporaryFolder folder;
    write_clip(folder / "set/live/anna/a.avi", 20);
    write_clip(folder / "set/spoof/anna/b.avi", 20);
    write_clip(folder / "set/spoof/ben/c.avi", 40);
    write_bytes(folder / "set/spoof/ben/d.avi", "RIFF, but no video");
    const Dataset set = open_dataset(folder / "set");
    REQUIRE(set.size() == 4);
    PrepareOptions options{.output = folder / "out", .frames = 4, .width = 16, .height = 12, .threads = 2};
    const PreparationReport report = prepare(set, options);
    CHECK(report.written == 12);
    CHECK(stage_of(report, "sampled").left_out == std::map<std::string, int64_t>{{"recording unreadable", 1}});
    const Dataset made = open_dataset(options.output);
    CHECK(made.samples[0].frame == 3);
    CHECK_FALSE(made.samples[0].video.empty());
    CHECK(made.samples[0].path.filename() == "000000-a-f3.png");
    options.output = folder / "every";
    options.every = 5;
    // Frames 3, 8, 13 of 20 and 6, 11, ..., 31 of 40.
    CHECK(prepare(set, options).written == 3 + 3 + 6);

    std::string bytes = contents_of(folder / "set/spoof/ben/c.avi");
    write_bytes(folder / "short/spoof/ben/c.avi", bytes.substr(0, bytes.size() / 2));
    Dataset cut;
    for (int64_t frame = 0; frame < 40; frame += 4) {
        Sample s;
        s.path = folder / "short/spoof/ben/c.avi";
        s.frame = frame;
        cut.samples.push_back(s);
    }
    options = {.output = folder / "cut", .width = 16, .height = 12, .threads = 1};
    const PreparationReport early = prepare(cut, options);
    CHECK(early.written > 0);
    CHECK(early.written < 10);
    CHECK(stage_of(early, "readable").left_out.begin()->first == "video ends early");
}

TEST_CASE("Sets become one with names that differ, without pictures that are listed twice") {
    const SmallSet small;
    Dataset other = small.set;
    for (Sample& s : other.samples) s.path = s.path.parent_path() / "." / s.path.filename();
    const Dataset both = merged({small.set, other});
    CHECK(both.samples[0].dataset == "small");
    CHECK(both.samples[10].dataset == "small-2");
    const PreparationReport report = plan_preparation(both, small.options());
    CHECK(stage_of(report, "listed").classes.total() == 20);
    CHECK(stage_of(report, "sampled").left_out == std::map<std::string, int64_t>{{"listed twice", 10}});
    CHECK_FALSE(fs::exists(small.folder / "out"));
    CHECK(merged({small.set}).samples[0].dataset.empty());
    CHECK_THROWS_AS(merged({}), Error);
}

TEST_CASE("A combined set is divided anew with whole groups") {
    const SmallSet small;
    Dataset large = small.set, one = small.set;
    one.samples.resize(4);
    one.name = "one";
    large.name = "large";
    for (Sample& s : one.samples) s.path = small.folder / ("o" + s.path.filename().string());
    for (const Sample& s : one.samples) write(busy_picture(48, 40, 77), s.path);
    PrepareOptions options = small.options();
    options.equal_sources = true;
    const PreparationReport report = prepare(merged({large, one}), options);
    // 9 that can be read and 4: the median is 6.5, and groups are pairs.
    CHECK(report.written >= 9);
    CHECK(report.written <= 11);
    const Dataset made = open_dataset(options.output);
    CHECK(find_leaks(made).empty());
    CHECK(made.count(Split::none) == 0);
}

TEST_CASE("A manifest of 100,000 rows is planned without opening a picture") {
    const TemporaryFolder folder;
    std::string text = "path,label,subject,video,frame\n";
    for (int i = 0; i < 100'000; ++i)
        text += "p/" + std::to_string(i) + ".jpg," + (i % 2 ? "attack" : "bonafide") + ",s" +
                std::to_string(i / 20 % 500) + ",v" + std::to_string(i / 20) + "," + std::to_string(i % 20) + "\n";
    const Dataset set = parse_manifest(text, folder.path(), "large");
    PrepareOptions options{.output = folder / "out", .every = 5, .threads = 1};
    const PreparationReport report = plan_preparation(set, options);
    CHECK(stage_of(report, "listed").classes.total() == 100'000);
    // Of a recording's 20 frames two classes hold ten each, of those from 1 to 7 every fifth is taken.
    CHECK(stage_of(report, "sampled").classes.total() == 20'000);
}

TEST_CASE("Preparation says which option cannot be, and when nothing is left") {
    const SmallSet small;
    const auto refuses = [&](auto change, const char* named) {
        PrepareOptions options = small.options();
        change(options);
        CHECK_THROWS_WITH(prepare(small.set, options), Catch::Contains(named));
        CHECK_FALSE(fs::exists(options.output / "manifest.csv"));
    };
    refuses([](PrepareOptions& o) { o.width = 0; }, "size");
    refuses([](PrepareOptions& o) { o.height = 20000; }, "20000");
    refuses([](PrepareOptions& o) { o.margin = 0; }, "a margin from 0.1 to 8");
    refuses([](PrepareOptions& o) { o.margin = NAN; }, "a margin from 0.1 to 8");
    refuses([](PrepareOptions& o) { o.margin = 2; }, "a margin of 2 without a box");
    refuses([](PrepareOptions& o) { o.least_quality = 1.5; }, "a least quality from 0 to 1");
    refuses([](PrepareOptions& o) { o.least_quality = 1.0; }, "no picture is left of 10");
    refuses(
        [](PrepareOptions& o) {
            o.judge = false;
            o.balance = true;
        },
        "need the quality to be judged");
    refuses([](PrepareOptions& o) { o.jpeg_quality = 0; }, "a JPEG quality from 1 to 100");
    refuses([](PrepareOptions& o) { o.faces = FaceSource::detector; }, "face detector: expected");
    CHECK_THROWS_WITH(prepare(Dataset{}, small.options()), Catch::Contains("prepare"));
}

TEST_CASE("A report is a table for people and JSON for programs") {
    const SmallSet small;
    const PreparationReport report = prepare(small.set, small.options());
    std::ostringstream out;
    out << report;
    for (const char* word : {"readable", "unreadable 1", "print", "bona fide"})
        CHECK(out.str().find(word) != std::string::npos);
    CHECK(contents_of(small.folder / "out/report.json") == report.to_json());
}
