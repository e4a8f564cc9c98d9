#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "film.hpp"
#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/video.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;
namespace fs = std::filesystem;

namespace {

/// A bar that moves over a slope that moves otherwise: no two of the first hundred frames are alike.
Image moving_picture(int64_t i, int width, int height) {
    Image image(width, height);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const bool bar = (x + 3 * i) % width < 6;
            image.at(x, y)[0] = static_cast<uint8_t>(bar ? 220 : (4 * x + 2 * i) % 200);
            image.at(x, y)[1] = static_cast<uint8_t>((3 * y + 5 * i) % 200);
            image.at(x, y)[2] = static_cast<uint8_t>(bar ? 30 : 90);
        }
    return image;
}

fs::path film_in(const fs::path& folder, const std::string& name, const Film& film) {
    write_film(folder / name, film, [&](int64_t i) { return moving_picture(i, film.width, film.height); });
    return folder / name;
}

std::vector<Image> all_of(const fs::path& path, int64_t count) {
    std::vector<int64_t> numbers(static_cast<size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return read_frames(path, numbers);
}

Image frame_of(const fs::path& path, int64_t number) { return read_frames(path, {&number, 1})[0]; }

double distance(const Image& a, const Image& b) {
    double sum = 0;
    for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
    return sum / static_cast<double>(a.pixels.size());
}

size_t find(std::span<const uint8_t> bytes, std::string_view mark) {
    const auto at = std::search(bytes.begin(), bytes.end(), mark.begin(), mark.end(),
                                [](uint8_t byte, char c) { return byte == static_cast<uint8_t>(c); });
    REQUIRE(at != bytes.end());
    return static_cast<size_t>(at - bytes.begin());
}

void put32(std::vector<uint8_t>& bytes, size_t at, uint32_t value) {
    for (size_t k = 0; k < 4; ++k) bytes.at(at + k) = static_cast<uint8_t>(value >> (8 * k));
}

/// What an AVI file says of the size of its frames: in its main header and in its stream's format.
void state_size(std::vector<uint8_t>& avi, uint32_t width, uint32_t height) {
    const size_t main = find(avi, "avih") + 8 + 32, format = find(avi, "strf") + 8 + 4;
    put32(avi, main, width);
    put32(avi, main + 4, height);
    put32(avi, format, width);
    put32(avi, format + 4, height);
}

/// The bytes of each frame of an AVI file.
std::vector<std::span<uint8_t>> frames_in(std::vector<uint8_t>& avi) {
    std::vector<std::span<uint8_t>> out;
    for (size_t at = find(avi, "movi") + 4; at + 8 <= avi.size() && avi[at] == '0' && avi[at + 2] == 'd';) {
        const size_t size = avi[at + 4] | size_t{avi[at + 5]} << 8 | size_t{avi[at + 6]} << 16;
        out.push_back(std::span(avi).subspan(at + 8, size));
        at += 8 + size + size % 2;
    }
    return out;
}

constexpr AVPixelFormat kYuv = AV_PIX_FMT_YUV420P;

}  // namespace

TEST_CASE("A frame has one number in every container, with B-frames and with any times, however it is reached",
          "[slow]") {
    const TemporaryFolder folder;
    const auto uneven = [](int64_t i) { return i * (i + 1); };
    const auto with_b_frames = [](const char* container, const char* codec) {
        return Film{
            .container = container, .codec = codec, .format = kYuv, .frames = 40, .key_every = 12, .between = 2};
    };
    std::vector<std::pair<const char*, Film>> films{
        {"a.avi", {.frames = 40}},
        {"a.mov", {.container = "mov", .frames = 40}},
        {"a.mkv", {.container = "matroska", .frames = 40, .time = uneven}},
        {"b.avi", with_b_frames("avi", "mpeg4")},
        {"b.mp4", with_b_frames("mp4", "mpeg4")},
        {"b.mkv", with_b_frames("matroska", "mpeg4")},
        {"d.mpg", with_b_frames("mpeg", "mpeg2video")},
        {"d.m1v", with_b_frames("mpeg1video", "mpeg1video")},
        {"e.wmv", {.container = "asf", .codec = "wmv2", .format = kYuv, .frames = 40, .key_every = 12}},
    };
    for (const auto& [name, container] : {std::pair{"c.mp4", "mp4"}, {"c.mkv", "matroska"}}) {
        films.emplace_back(name, with_b_frames(container, "mpeg4"));
        films.back().second.time = uneven;
    }
    for (const auto& named : films) {
        const Film& film = named.second;
        INFO(named.first);
        const fs::path path = film_in(folder.path(), named.first, film);
        const VideoInfo info = inspect_video(path);
        CHECK(info.width == film.width);
        CHECK(info.height == film.height);
        CHECK(info.frames == film.frames);
        const std::vector<Image> all = all_of(path, film.frames);
        for (int64_t i = 0; i < film.frames; ++i) {
            INFO("frame " << i);
            const Image& frame = all[static_cast<size_t>(i)];
            CHECK(frame_of(path, i) == frame);
            // Of the pictures that went in, the one of this number is the nearest, whatever the codec lost.
            const auto from = [&](int64_t k) { return distance(frame, moving_picture(k, film.width, film.height)); };
            CHECK(from(i) < from(i + 1));
            CHECK((i == 0 || from(i) < from(i - 1)));
        }
        CHECK_THROWS_WITH(frame_of(path, film.frames), Contains("after 40 frames"));
    }
}

TEST_CASE("What a container does not state is counted") {
    const TemporaryFolder folder;
    const Film film{.container = "mpeg1video", .codec = "mpeg1video", .format = kYuv, .frames = 9, .key_every = 4};
    CHECK(inspect_video(film_in(folder.path(), "a.mpg", film)).frames == 9);
}

TEST_CASE("A file's turn is carried out, as with pictures") {
    const TemporaryFolder folder;
    const Film upright{.container = "mp4", .codec = "mpeg4", .format = kYuv, .width = 48, .height = 32, .frames = 3};
    const auto turned_by = [&](int degrees) {
        Film film = upright;
        film.turn = degrees;
        return film_in(folder.path(), std::to_string(degrees) + ".mp4", film);
    };
    const Image plain = frame_of(turned_by(0), 1);
    for (const int degrees : {90, 180, 270}) {
        const fs::path path = turned_by(degrees);
        const Image frame = frame_of(path, 1);
        const VideoInfo info = inspect_video(path);
        REQUIRE(frame.width == (degrees == 180 ? 48 : 32));
        REQUIRE(frame.height == (degrees == 180 ? 32 : 48));
        CHECK(info.width == frame.width);
        CHECK(info.height == frame.height);
        bool same = true;
        for (int y = 0; y < plain.height; ++y)
            for (int x = 0; x < plain.width; ++x) {
                const uint8_t* const there = degrees == 90    ? frame.at(plain.height - 1 - y, x)
                                             : degrees == 180 ? frame.at(plain.width - 1 - x, plain.height - 1 - y)
                                                              : frame.at(y, plain.width - 1 - x);
                same = same && std::equal(there, there + 3, plain.at(x, y));
            }
        CHECK(same);
    }
}

TEST_CASE("Frames come in the size that their bit stream has, whatever the container says") {
    const TemporaryFolder folder;
    for (const char* codec : {"mpeg4", "mjpeg"}) {
        const Film film{.container = "avi",
                        .codec = codec,
                        .format = codec == std::string("mpeg4") ? kYuv : AV_PIX_FMT_YUVJ420P,
                        .width = 48,
                        .height = 32,
                        .frames = 5};
        const fs::path path = film_in(folder.path(), "true.avi", film), lying = folder / "lying.avi";
        const std::vector<Image> frames = all_of(path, 5);
        for (const auto& [width, height] : {std::pair{400u, 300u}, {16u, 8u}, {48u, 4000u}, {1'000'000u, 1'000'000u}}) {
            INFO(codec << " " << width << " x " << height);
            std::vector<uint8_t> bytes = read_file(path);
            state_size(bytes, width, height);
            write_bytes(lying, bytes);
            CHECK_NOTHROW(inspect_video(lying));
            std::vector<Image> read = frames;
            try {
                read = all_of(lying, 5);
            } catch (const Error& error) {
                // Of a Motion JPEG picture that is much lower than stated the decoder awaits the other field.
                CHECK(film.codec == std::string("mjpeg"));
                CHECK_THAT(error.what(), Contains("damaged"));
            }
            CHECK(read == frames);
        }
    }
}

TEST_CASE("Frames that change their size are given in their own, and refused where they are larger than a picture") {
    const TemporaryFolder folder;
    const fs::path large = film_in(folder.path(), "large.avi", {.width = 64, .height = 64, .frames = 6});
    const fs::path small = film_in(folder.path(), "small.avi", {.width = 24, .height = 16, .frames = 6});
    std::vector<uint8_t> bytes = read_file(large), others = read_file(small);
    const auto frames = frames_in(bytes), other = frames_in(others);
    REQUIRE(frames.size() == 6);
    REQUIRE(other[3].size() <= frames[3].size());
    std::fill(frames[3].begin(), frames[3].end(), uint8_t{0});
    std::copy(other[3].begin(), other[3].end(), frames[3].begin());
    const fs::path mixed = folder / "mixed.avi";
    write_bytes(mixed, bytes);
    const std::vector<Image> all = all_of(mixed, 6);
    CHECK(all[3] == frame_of(small, 3));
    CHECK(all[4] == frame_of(large, 4));
    CHECK(frame_of(mixed, 3) == all[3]);

    // 60,000 x 60,000 in the frame header (baseline: FF C0) of frame 2.
    const size_t header = find(frames[2], "\xFF\xC0");
    for (const size_t at : {header + 5, header + 7}) frames[2][at] = 0xEA, frames[2][at + 1] = 0x60;
    write_bytes(mixed, bytes);
    CHECK_THROWS_WITH(frame_of(mixed, 2), Contains("after 2 frames"));
    CHECK(frame_of(mixed, 1) == all[1]);
}

TEST_CASE("A picture that uses tables of an earlier one is read with them") {
    const TemporaryFolder folder;
    // All frames have the same tables.
    const fs::path path = folder / "whole.avi";
    write_video(path, 6, [](int64_t i) { return moving_picture(i, 32, 24); });
    std::vector<uint8_t> bytes = read_file(path);
    const std::vector<Image> all = all_of(path, 6);
    // Later frames' quantization tables (FF DB) and Huffman tables (FF C4) become comments (FF FE).
    const auto frames = frames_in(bytes);
    for (const std::string_view tables : {"\xFF\xDB", "\xFF\xC4"}) {
        for (size_t i = 1; i < frames.size(); ++i) {
            frames[i][find(frames[i], tables) + 1] = 0xFE;
        }
        const fs::path shared = folder / "shared.avi";
        write_bytes(shared, bytes);
        for (int64_t i = 0; i < 6; ++i) CHECK(frame_of(shared, i) == all[static_cast<size_t>(i)]);
    }
}

TEST_CASE("Damage before a frame of Motion JPEG that is wanted costs nothing; other codecs stop there") {
    const TemporaryFolder folder;
    const fs::path path = film_in(folder.path(), "a.avi", {.frames = 6});
    std::vector<uint8_t> bytes = read_file(path);
    const Image fifth = frame_of(path, 5);
    const auto frames = frames_in(bytes);
    std::fill(frames[2].begin(), frames[2].end(), uint8_t{7});
    const fs::path damaged = folder / "damaged.avi";
    write_bytes(damaged, bytes);
    CHECK(frame_of(damaged, 5) == fifth);
    CHECK_THROWS_WITH(frame_of(damaged, 2), Contains("after 2 frames"));
}

TEST_CASE("A video that was cut off says after how many frames") {
    const TemporaryFolder folder;
    for (const auto& [name, film] : {std::pair<const char*, Film>{"a.avi", {}},
                                     {"a.mkv", {.container = "matroska", .codec = "mpeg4", .format = kYuv}}}) {
        const fs::path path = film_in(folder.path(), name, film);
        std::vector<uint8_t> bytes = read_file(path);
        bytes.resize(bytes.size() / 2);
        write_bytes(path, bytes);
        INFO(name);
        CHECK_NOTHROW(frame_of(path, 2));
        CHECK_THROWS_WITH(frame_of(path, 19), Contains("the video ends, or is damaged, after"));
    }
}

TEST_CASE("A name is a name: no address, no pattern, no list") {
    const TemporaryFolder folder;
    const fs::path path = film_in(folder.path(), "a.avi", {.frames = 3});
    const Image frame = frame_of(path, 1);
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    for (const char* name : {"frame%03d.avi", "concat:a.avi|a.avi", "http:a.avi",
                             "Gesicht \xC3\xA4\xE2\x82\xAC \xE9\xA1\x94.avi", "pipe:0.avi", "a,b?c=d#e.avi", "-.avi"}) {
        INFO(name);
        fs::copy_file(path, name);
        CHECK(frame_of(name, 1) == frame);
        CHECK(inspect_video(name).frames == 3);
    }
    CHECK_THROWS_WITH(inspect_video("concat:a.avi|a2.avi"), Contains("no such file"));
    fs::current_path(before);
}

TEST_CASE("Files without moving pictures and codecs that nobody films with are refused by name") {
    const TemporaryFolder folder;
    const fs::path gif =
        film_in(folder.path(), "a.mkv", {.container = "matroska", .codec = "gif", .format = AV_PIX_FMT_RGB8});
    CHECK_THROWS_WITH(frame_of(gif, 0), Contains("gif"));
    const fs::path cover = film_in(folder.path(), "cover.mp4", {.container = "mp4", .frames = 1, .cover = true});
    CHECK_THROWS_WITH(inspect_video(cover), Contains("no moving pictures"));
}
