#include "liven/data/video.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/check.hpp"
#include "liven/data/folder.hpp"
#include "liven/data/manifest.hpp"
#include "liven/data/synthesize.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;
namespace fs = std::filesystem;

namespace {

/// Frame i is grey of 10 i: it survives JPEG to within a level or two.
Image grey_frame(int64_t i, int width = 32, int height = 24) {
    Image image(width, height);
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(10 * i));
    return image;
}

void write_greys(const fs::path& path, int64_t count) {
    write_video(path, count, [](int64_t i) { return grey_frame(i); });
}

int64_t number_of(const Image& frame) { return std::lround(frame.at(7, 7)[1] / 10.0); }

std::vector<uint8_t> file_bytes(const fs::path& path) { return read_file(path); }

}  // namespace

TEST_CASE("A video gives back the frames that were written, in their order, whichever are asked for") {
    const TemporaryFolder folder;
    const fs::path path = folder / "greys.avi";
    write_greys(path, 20);
    const VideoInfo info = inspect_video(path);
    CHECK(info.frames == 20);
    CHECK(info.width == 32);
    CHECK(info.height == 24);
    CHECK(info.rate == Approx(25));
    for (const std::vector<int64_t>& asked : {std::vector<int64_t>{0}, {19}, {0, 1, 2}, {3, 3, 9, 19}, {17, 18, 19}}) {
        const std::vector<Image> frames = read_frames(path, asked);
        REQUIRE(frames.size() == asked.size());
        for (size_t i = 0; i < asked.size(); ++i) CHECK(number_of(frames[i]) == asked[i]);
    }
}

TEST_CASE("Colours of a video come as red, green, blue") {
    const TemporaryFolder folder;
    const fs::path path = folder / "red.avi";
    write_video(path, 2, [](int64_t) {
        Image image(16, 16);
        for (size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i] = 200, image.pixels[i + 2] = 40;
        return image;
    });
    const Image frame = read_frames(path, std::vector<int64_t>{1})[0];
    // Motion JPEG keeps flat colours to within a few levels.
    CHECK(std::abs(frame.at(8, 8)[0] - 200) < 8);
    CHECK(std::abs(frame.at(8, 8)[1] - 0) < 8);
    CHECK(std::abs(frame.at(8, 8)[2] - 40) < 8);
}

TEST_CASE("What is no whole video is an error that says so") {
    const TemporaryFolder folder;
    const fs::path path = folder / "greys.avi";
    write_greys(path, 20);
    const std::vector<int64_t> first{0}, beyond{5, 25}, falling{3, 2}, none;
    CHECK_THROWS_WITH(read_frames(path, beyond), Contains("after 20 frames"));
    CHECK_THROWS_AS(read_frames(path, falling), Error);
    CHECK_THROWS_AS(read_frames(path, none), Error);
    CHECK_THROWS_WITH(inspect_video(folder / "absent.avi"), Contains("no such file"));
    CHECK_THROWS_AS(inspect_video(folder.path()), Error);
    write_bytes(folder / "empty.avi", "");
    CHECK_THROWS_WITH(inspect_video(folder / "empty.avi"), Contains("empty"));
    // A play list, a script and a picture under a video's name never reach a decoder.
    write_bytes(folder / "list.avi", "#EXTM3U\n#EXTINF:1,\n/etc/hostname\n");
    CHECK_THROWS_WITH(inspect_video(folder / "list.avi"), Contains("no video"));
    write_picture(folder / "picture.png");
    fs::rename(folder / "picture.png", folder / "picture.mp4");
    CHECK_THROWS_WITH(inspect_video(folder / "picture.mp4"), Contains("no video"));
    CHECK_THROWS_AS(write_video(folder / "x.mp4", 1, [](int64_t i) { return grey_frame(i); }), Error);
    CHECK_THROWS_WITH(write_video(folder / "x.avi", 2, [](int64_t i) { return grey_frame(i, 16 + int(i), 16); }),
                      Contains("another size"));
}

TEST_CASE("Cut-off and damaged videos are errors or shorter, never a crash", "[slow]") {
    const TemporaryFolder folder;
    const fs::path whole = folder / "greys.avi", damaged = folder / "damaged.avi";
    write_greys(whole, 6);
    const std::vector<uint8_t> bytes = file_bytes(whole);
    const std::vector<int64_t> wanted{0, 5};
    const auto attempt = [&](const std::vector<uint8_t>& content) {
        write_bytes(damaged, content);
        try {
            inspect_video(damaged);
            const size_t frames = read_frames(damaged, wanted).size();
            CHECK(frames == 2);
        } catch (const Error&) {
            CHECK(true);
        }
    };
    for (size_t cut = 1; cut < bytes.size(); cut += bytes.size() / 23)
        attempt({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut)});
    liven::Random random(5);
    for (int round = 0; round < 40; ++round) {
        std::vector<uint8_t> content = bytes;
        for (int k = 0; k < 8; ++k) content[random.below(round < 20 ? 300 : bytes.size())] = uint8_t(random.bits());
        attempt(content);
    }
}

TEST_CASE("Pictures of a folder are listed by the numbers that end their names") {
    const TemporaryFolder folder;
    for (const char* name : {"f10.png", "f9.png", "f1.png", ".hidden.png"}) write_picture(folder / name);
    write_bytes(folder / "notes.txt", "x");
    std::vector<std::string> names;
    for (const fs::path& path : list_frames(folder.path())) names.push_back(path.filename().string());
    CHECK(names == std::vector<std::string>{"f1.png", "f9.png", "f10.png"});
    CHECK_THROWS_AS(list_frames(folder / "absent"), Error);
}

TEST_CASE("Synthetic videos move, are the same bytes for any number of threads, and check as clean", "[slow]") {
    const TemporaryFolder one, two;
    SynthesisOptions o{
        .subjects = 3, .bonafide_videos = 1, .attack_videos = 1, .frames = 10, .size = 32, .video = true};
    o.threads = 1;
    const Dataset set = synthesize(one.path() / "set", o);
    o.threads = 2;
    const Dataset again = synthesize(two.path() / "set", o);
    REQUIRE(set.size() == 6);
    for (size_t i = 0; i < 6; ++i) CHECK(file_bytes(set.samples[i].path) == file_bytes(again.samples[i].path));
    CHECK(inspect_video(set.samples[0].path).frames == 10);
    CHECK(set.samples[0].frame == -1);
    CHECK(set.samples[0].video == "s000v00");
    CHECK(read_manifest(one.path() / "set" / "manifest.csv").size() == 6);
    const CheckReport report = check(set);
    CHECK(report.clean());
    CHECK(report.sizes.at("32x32") == 6);
}

TEST_CASE("Frames of a moving video change little from one to the next, moments by themselves much") {
    SynthesisOptions still{.subjects = 1, .bonafide_videos = 1, .attack_videos = 0, .frames = 6, .size = 48};
    SynthesisOptions moving = still;
    moving.moving = true;
    const auto change = [](const SynthesisOptions& o) {
        double sum = 0;
        for (int frame = 0; frame < 5; ++frame) {
            const Image a = synthesize_frame(o, 0, 0, frame), b = synthesize_frame(o, 0, 0, frame + 1);
            for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
        }
        return sum;
    };
    CHECK(change(moving) < 0.7 * change(still));
    CHECK(change(moving) > 0);
}

TEST_CASE("A manifest may list frames of one video file, and folders of classes may hold videos") {
    const TemporaryFolder folder;
    fs::create_directories(folder / "bonafide/anna");
    fs::create_directories(folder / "attack/anna");
    write_greys(folder / "bonafide/anna/take1.avi", 8);
    write_greys(folder / "attack/anna/take1.avi", 8);
    const Dataset classes = read_folder(folder.path());
    REQUIRE(classes.size() == 2);
    CHECK(classes.samples[0].frame == -1);
    CHECK(classes.samples[0].subject == "anna");
    CHECK(classes.samples[0].video != classes.samples[1].video);
    const Dataset frames =
        parse_manifest("path,label,video,frame\nattack/anna/take1.avi,attack,a,2\nattack/anna/take1.avi,attack,a,5\n",
                       folder.path(), "m");
    CHECK(frames.size() == 2);
    CHECK_THROWS_WITH(parse_manifest("path,label,frame\nx.avi,attack,2\nx.avi,attack,2\n", folder.path(), "m"),
                      Contains("listed already"));
}
