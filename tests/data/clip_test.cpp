#include "liven/data/clip.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <numeric>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/loader.hpp"
#include "liven/data/video.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;
namespace fs = std::filesystem;

namespace {

using Rows = std::vector<std::vector<int64_t>>;

constexpr int clip_side = 16;

Image grey_picture(int64_t value) {
    Image image(clip_side, clip_side);
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(value));
    return image;
}

/// Videos v0, v1, ... alternately bona fide and attack; frame f of video v is grey 20 v + f, as PNG files.
class Recordings {
public:
    explicit Recordings(int64_t videos, int64_t frames = 8) {
        for (int64_t v = 0; v < videos; ++v)
            for (int64_t f = frames - 1; f >= 0; --f) add(v, f);  // out of order on purpose
    }
    void add(int64_t v, int64_t f) {
        Sample s;
        s.video = "v" + std::to_string(v);
        s.frame = f;
        s.label = v % 2 == 0 ? Label::bonafide : Label::attack;
        s.path = folder_ / (s.video + "_" + std::to_string(f) + ".png");
        write(grey_picture(20 * v + f), s.path);
        data.samples.push_back(std::move(s));
    }
    const TemporaryFolder& folder() const { return folder_; }
    Dataset data;

private:
    TemporaryFolder folder_;
};

LoaderOptions clip_loader(LoaderOptions o = {}) {
    o.preprocess.width = o.preprocess.height = clip_side;
    o.preprocess.scale = 1;
    o.prepare_threads = 2;
    return o;
}

/// The first value of each frame of clip `i`.
std::vector<int64_t> greys_of(const Batch& b, int64_t i) {
    std::vector<int64_t> out;
    const int64_t values = b.height * b.width * 3;
    for (int64_t f = 0; f < b.frames; ++f)
        out.push_back(std::lround(b.images.as<float>()[(i * b.frames + f) * values]));
    return out;
}

}  // namespace

TEST_CASE("Clips lie between 15 and 85 % of the recording, and in all of it when that is short") {
    CHECK(clip_positions(100, {.frames = 5}) == Rows{{47, 48, 49, 50, 51}});
    CHECK(clip_positions(100, {.frames = 5, .stride = 3}) == Rows{{43, 46, 49, 52, 55}});
    CHECK(clip_positions(100, {.frames = 3, .per_video = 3}) == Rows{{15, 16, 17}, {48, 49, 50}, {82, 83, 84}});
    CHECK(clip_positions(100, {.frames = 5, .stride = 0}) == Rows{{15, 32, 49, 66, 84}});
    CHECK(clip_positions(100, {.frames = 2, .stride = 0, .per_video = 2}) == Rows{{15, 61}, {38, 84}});
    CHECK(clip_positions(5, {.frames = 5}) == Rows{{0, 1, 2, 3, 4}});
    CHECK(clip_positions(5, {.frames = 5, .stride = 0}) == Rows{{0, 1, 2, 3, 4}});
    CHECK(clip_positions(6, {.frames = 5, .per_video = 4}) == Rows{{0, 1, 2, 3, 4}});
    CHECK(clip_positions(8, {.frames = 5, .per_video = 4}) == Rows{{1, 2, 3, 4, 5}});
    CHECK(clip_positions(10, {.frames = 5, .per_video = 4}) == Rows{{1, 2, 3, 4, 5}, {2, 3, 4, 5, 6}, {3, 4, 5, 6, 7}});
    CHECK(clip_positions(4, {.frames = 5}).empty());
    CHECK(clip_positions(12, {.frames = 5, .stride = 3}).empty());
    CHECK(clip_positions(1, {.frames = 1, .stride = 0}) == Rows{{0}});
    CHECK(clip_positions(7, {.frames = 1}) == Rows{{2}});
    CHECK_THROWS_AS(clip_positions(7, {.frames = 0}), Error);
    CHECK_THROWS_AS(clip_positions(7, {.from = 0.9, .to = 0.1}), Error);
}

TEST_CASE("Pictures of one video become clips in the order of their frames; short videos are named") {
    Recordings set(4);
    set.add(9, 0);
    set.add(9, 1);
    Sample stray;
    stray.path = "nobody.png";
    set.data.samples.push_back(stray);
    const Dataset clips = clips_of(set.data, {.frames = 3});
    REQUIRE(clips.size() == 4);
    for (const Sample& s : clips.samples) CHECK(s.clip.size() == 3);
    CHECK(clips.samples[1].label == Label::attack);
    CHECK(clips.samples[1].video == "v1");
    CHECK(clips.samples[0].clip[0].path.filename() == "v0_2.png");
    CHECK(clips.samples[0].clip[2].path.filename() == "v0_4.png");
    REQUIRE(clips.skipped.size() == 2);
    CHECK_THAT(clips.skipped[0], Contains("nobody.png") && Contains("no video"));
    CHECK_THAT(clips.skipped[1], Contains("v9") && Contains("2 frames"));
    CHECK_THROWS_WITH(clips_of(set.data, {.frames = 9}), Contains("no recording"));
}

TEST_CASE("Recordings are told apart by class, subject and data set, not by the video's name alone") {
    Recordings set(2, 4);
    for (Sample& s : set.data.samples) s.video = "take1";
    CHECK(clips_of(set.data, {.frames = 4}).size() == 2);  // of two classes
    for (Sample& s : set.data.samples) s.label = Label::bonafide;
    CHECK(clips_of(set.data, {.frames = 4}).size() == 1);
    for (std::string Sample::*part : {&Sample::subject, &Sample::dataset}) {
        Dataset two = set.data;
        for (size_t i = 0; i < two.samples.size(); ++i) two.samples[i].*part = i < 4 ? "one" : "another";
        CHECK(clips_of(two, {.frames = 4}).size() == 2);
    }
}

TEST_CASE("Video files, folders of frames and pictures give the same clips") {
    Recordings set(1, 6);
    const fs::path film = set.folder() / "film.avi", frames = set.folder() / "frames";
    write_video(film, 6, [](int64_t f) { return grey_picture(f); });
    fs::create_directories(frames);
    for (int64_t f = 0; f < 6; ++f) write(grey_picture(f), frames / ("f" + std::to_string(f) + ".png"));
    Sample a, b;
    a.path = film;
    b.path = frames;
    Dataset both = set.data;
    both.samples.push_back(a);
    both.samples.push_back(b);
    Loader loader(clips_of(both, {.frames = 4, .stride = 1}), clip_loader({.batch = 3, .shuffle = false}));
    const Batch batch = *loader.next();
    CHECK(batch.shape() == liven::Shape{3, 4, clip_side, clip_side, 3});
    std::vector<std::vector<int64_t>> seen;
    for (int64_t i = 0; i < 3; ++i) seen.push_back(greys_of(batch, i));
    const std::vector<int64_t> expected{0, 1, 2, 3};
    CHECK(seen[0] == seen[2]);
    for (size_t f = 0; f < 4; ++f) CHECK(std::abs(seen[1][f] - expected[f]) <= 2);  // Motion JPEG
    CHECK((seen[0] == expected || seen[2] == expected));
}

TEST_CASE("A loader of clips keeps frames together, in order, the same for any threads and cache") {
    const Recordings set(5);
    const Dataset clips = clips_of(set.data, {.frames = 3, .per_video = 2});
    REQUIRE(clips.size() == 10);
    const auto run = [&](LoaderOptions o) {
        o.batch = 4;
        Loader loader(clips, clip_loader(o));
        std::vector<std::vector<int64_t>> out;
        for (int epoch = 0; epoch < 2; ++epoch)
            while (const auto b = loader.next())
                for (int64_t i = 0; i < b->count; ++i) out.push_back(greys_of(*b, i));
        return out;
    };
    const auto expected = run({.threads = 0});
    REQUIRE(expected.size() == 20);
    for (const auto& greys : expected) {
        CHECK(greys[1] == greys[0] + 1);
        CHECK(greys[2] == greys[0] + 2);
    }
    CHECK(run({.threads = 2}) == expected);
    CHECK(run({.threads = 2, .cache_bytes = 0}) == expected);
    CHECK(run({.threads = 1, .cache_bytes = 3 * 3 * clip_side * clip_side * 3}) == expected);
}

TEST_CASE("All frames of a clip are augmented by one draw") {
    TemporaryFolder folder;
    Dataset set;
    for (int64_t f = 0; f < 4; ++f) {
        Sample s;
        s.video = "same";
        s.frame = f;
        s.path = folder / (std::to_string(f) + ".png");
        write_picture(s.path, 3, clip_side, clip_side);
        set.samples.push_back(s);
    }
    Augmentation strong = Augmentation::paper_k();
    strong.noise = strong.blur = 1;
    strong.zoom = 0.1f;
    Loader loader(clips_of(set, {.frames = 4}), clip_loader({.batch = 1, .augmentation = strong}));
    std::vector<std::string> epochs;
    for (int epoch = 0; epoch < 3; ++epoch)
        while (const auto b = loader.next()) {
            const auto bytes = static_cast<size_t>(clip_side * clip_side * 3) * sizeof(float);
            for (int64_t f = 1; f < 4; ++f)
                CHECK(std::memcmp(b->images.as<char>(), b->images.as<char>() + static_cast<size_t>(f) * bytes, bytes) ==
                      0);
            epochs.emplace_back(b->images.as<char>(), bytes);
        }
    CHECK(epochs[0] != epochs[1]);
}

TEST_CASE("A clip with a broken frame is named and left out; a video that ends too early too") {
    Recordings set(3, 5);
    for (const Sample& s : set.data.samples)
        if (s.video == "v1" && s.frame == 2) write_bytes(s.path, "no picture");
    Dataset clips = clips_of(set.data, {.frames = 5});
    const fs::path film = set.folder() / "film.avi";
    write_video(film, 3, [](int64_t f) { return grey_picture(f); });
    Sample early;
    early.path = film;
    for (int64_t f = 0; f < 5; ++f) early.clip.push_back({.path = film, .number = f, .box = {}});
    clips.samples.push_back(early);
    Loader loader(clips, clip_loader({.batch = 2, .threads = 1}));
    CHECK(loader.samples_per_epoch() == 2);
    REQUIRE(loader.broken().size() == 2);
    CHECK_THAT(loader.broken()[0].reason, Contains("v1_2.png"));
    CHECK_THAT(loader.broken()[1].reason, Contains("after 3 frames"));
    Dataset mixed = clips;
    mixed.samples.push_back(set.data.samples[0]);
    CHECK_THROWS_WITH(Loader(mixed, clip_loader()), Contains("clips of 5 frames throughout"));
}

TEST_CASE("A video that claims to have billions of frames costs no memory and is named when they are not there") {
    const TemporaryFolder folder;
    const fs::path film = folder / "film.avi";
    write_video(film, 4, [](int64_t f) { return grey_picture(f); });
    std::vector<uint8_t> bytes = read_file(film);
    // dwTotalFrames of the main header and dwLength of the stream's, both 4.
    const auto claim = [&](const char* chunk, size_t offset) {
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        const size_t at = text.find(chunk) + 8 + offset;
        REQUIRE(bytes[at] == 4);
        for (size_t k = 0; k < 4; ++k) bytes[at + k] = k == 3 ? 0x7f : 0xff;
    };
    claim("avih", 16);
    claim("strh", 32);
    write_bytes(film, bytes);
    Dataset set;
    Sample sample;
    sample.path = film;
    set.samples.push_back(sample);
    const Dataset clips = clips_of(set, {.frames = 2});
    Loader loader(clips, clip_loader());
    CHECK_THROWS_WITH(loader.prepare(), Contains("after 4 frames"));
}

TEST_CASE("A loader of clips goes on from its cursor, balanced classes and all") {
    const Recordings set(7, 6);
    const Dataset clips = clips_of(set.data, {.frames = 2});
    const LoaderOptions o =
        clip_loader({.batch = 2, .augmentation = Augmentation::paper_w(), .balanced = true, .threads = 2});
    const auto collect = [](Loader& loader, size_t count) {
        std::vector<std::string> out;
        while (out.size() < count)
            if (const auto b = loader.next()) {
                CHECK(b->labels.as<int32_t>()[0] + b->labels.as<int32_t>()[1] == 1);
                out.emplace_back(b->images.as<char>(), static_cast<size_t>(b->shape().count()) * sizeof(float));
            }
        return out;
    };
    Loader whole(clips, o);
    const auto expected = collect(whole, 8);
    Loader second(clips, o);
    second.seek({1, 1});
    CHECK(collect(second, 3) == std::vector<std::string>(expected.begin() + 5, expected.end()));
}

TEST_CASE("Mean and deviation of the training pixels make them zero and one") {
    const Recordings set(6, 4);
    LoaderOptions o = clip_loader({.batch = 2, .threads = 1});
    o.preprocess.scale = 1.0f / 255;
    Loader loader(clips_of(set.data, {.frames = 4}), o);
    const Loader::Moments moments = loader.moments();
    // Greys 20 v + f: v from 0 to 5, f from 0 to 3, in closed form.
    const double mean = 20 * 2.5 + 1.5, variance = 400 * 35.0 / 12 + 15.0 / 12;
    for (size_t c = 0; c < 3; ++c) {
        CHECK(moments.mean[c] == Approx(mean / 255));
        CHECK(moments.std[c] == Approx(std::sqrt(variance) / 255));
    }
    const Batch before = *loader.next();
    loader.normalize(moments);
    CHECK(loader.cursor() == Cursor{0, 1});
    CHECK(loader.options().preprocess.mean == moments.mean);
    loader.seek({0, 0});
    double sum = 0, squares = 0, count = 0;
    for (const Batch& b : loader)
        for (int64_t i = 0; i < b.shape().count(); ++i) {
            const auto v = static_cast<double>(b.images.as<float>()[i]);
            sum += v, squares += v * v, ++count;
        }
    CHECK(sum / count == Approx(0).margin(1e-5));
    CHECK(squares / count == Approx(1).epsilon(1e-5));
    CHECK(before.frames == 4);
}

TEST_CASE("Statistics follow the colour order, and a channel that never changes is not divided") {
    TemporaryFolder folder;
    Dataset set;
    for (uint8_t v : {uint8_t{0}, uint8_t{100}}) {
        Sample s;
        s.path = folder / (std::to_string(v) + ".png");
        Image image(clip_side, clip_side);
        for (size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i] = v, image.pixels[i + 2] = 7;
        write(image, s.path);
        set.samples.push_back(s);
    }
    LoaderOptions o = clip_loader({.batch = 2});
    o.preprocess.colour_order = ColourOrder::bgr;
    Loader loader(set, o);
    const Loader::Moments m = loader.moments();
    CHECK(m.mean == std::array<float, 3>{7, 0, 50});
    CHECK(m.std == std::array<float, 3>{1, 1, 50});
}

TEST_CASE("A model of pictures sees frames of recordings, evenly spread, and pictures as they are") {
    Recordings set(1, 2);
    const fs::path film = set.folder() / "film.avi", none = set.folder() / "none.avi";
    write_video(film, 20, [](int64_t f) { return grey_picture(10 * f); });
    write_bytes(none, "no video");
    Sample a, b;
    a.path = film;
    a.subject = "anna";
    b.path = none;
    Dataset all = set.data;
    all.samples.push_back(a);
    all.samples.push_back(b);
    const Dataset pictures = pictures_of(all, 3);
    REQUIRE(pictures.size() == 5);
    CHECK(pictures.samples[0].path == set.data.samples[0].path);
    CHECK(pictures.samples[2].frame == 3);
    CHECK(pictures.samples[3].frame == 9);
    CHECK(pictures.samples[4].frame == 16);
    CHECK(pictures.samples[4].subject == "anna");
    REQUIRE(pictures.skipped.size() == 1);
    CHECK_THAT(pictures.skipped[0], Contains("none.avi"));
    Loader loader(pictures, clip_loader({.batch = 5, .shuffle = false}));
    const Batch batch = *loader.next();
    CHECK(batch.shape() == liven::Shape{5, clip_side, clip_side, 3});
    // Motion JPEG keeps a flat grey to within a level or two.
    for (int64_t i = 2; i < 5; ++i)
        CHECK(std::abs(batch.images.as<float>()[i * clip_side * clip_side * 3] -
                       static_cast<float>(10 * pictures.samples[static_cast<size_t>(i)].frame)) <= 2);
    CHECK(pictures_of(set.data, 3).size() == 2);
}
