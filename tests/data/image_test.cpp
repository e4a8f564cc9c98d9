#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "tests/without_rights.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;

namespace {

void put32(std::vector<uint8_t>& bytes, size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

uint32_t plain_crc(const uint8_t* data, size_t size) {
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < size; ++i) {
        c ^= data[i];
        for (int bit = 0; bit < 8; ++bit) c = (c & 1 ? 0xedb88320u : 0u) ^ (c >> 1);
    }
    return ~c;
}

/// A small PNG whose header claims another size, its checksum made right again.
std::vector<uint8_t> png_claiming(uint32_t width, uint32_t height) {
    std::vector<uint8_t> bytes = encode_png(picture(8, 8));
    put32(bytes, 16, width);
    put32(bytes, 20, height);
    put32(bytes, 29, plain_crc(bytes.data() + 12, 17));
    return bytes;
}

/// The JPEG with an EXIF segment that holds nothing but an orientation.
std::vector<uint8_t> with_orientation(std::vector<uint8_t> jpeg, uint8_t orientation) {
    const std::vector<uint8_t> exif{0xff, 0xe1, 0, 34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',         0, 42, 0, 0, 0, 8,
                                    0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, 0,   orientation, 0, 0,  0, 0, 0, 0};
    jpeg.insert(jpeg.begin() + 2, exif.begin(), exif.end());
    return jpeg;
}

int distance(const Image& a, const Image& b) {
    int most = 0;
    for (size_t i = 0; i < a.pixels.size(); ++i) most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
    return most;
}

/// Decoding ends, with a picture of the declared size or one Error; anything else fails the test.
bool decodes(const std::vector<uint8_t>& bytes) {
    try {
        const Image image = decode(bytes, "hostile");
        CHECK(image.pixels.size() == static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3);
        return true;
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
        return false;
    }
}

}  // namespace

TEST_CASE("PNG keeps every byte, red first") {
    Image image = picture(7, 5);
    image.at(0, 0)[0] = 250;
    image.at(0, 0)[1] = 10;
    image.at(0, 0)[2] = 20;
    CHECK(decode(encode_png(image), "x.png") == image);
}

TEST_CASE("JPEG keeps a smooth picture nearly") {
    Image image(64, 48);
    for (int y = 0; y < 48; ++y)
        for (int x = 0; x < 64; ++x) image.at(x, y)[0] = static_cast<uint8_t>(2 * x + y);
    // Quality 95 divides the lowest frequencies by 2 or 3 and shares colour between four pixels.
    CHECK(distance(decode(encode_jpeg(image, 95), "x.jpg"), image) <= 24);
}

TEST_CASE("Pictures of one pixel, a row and a column are pictures") {
    for (auto [w, h] : {std::pair{1, 1}, {31, 1}, {1, 17}}) {
        const Image image = picture(w, h);
        CHECK(decode(encode_png(image), "x.png") == image);
        CHECK(decode(encode_jpeg(image), "x.jpg").width == w);
    }
}

TEST_CASE("The EXIF orientation is carried out, so that pictures come upright") {
    Image image(16, 8);  // left half red
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) image.at(x, y)[0] = 255;
    const Image turned = decode(with_orientation(encode_jpeg(image), 6), "phone.jpg");  // 6: turn right by 90 degrees
    REQUIRE(turned.width == 8);
    REQUIRE(turned.height == 16);
    CHECK(turned.at(4, 2)[0] > 200);
    CHECK(turned.at(4, 13)[0] < 50);
    CHECK(decode(with_orientation(encode_jpeg(image), 1), "phone.jpg").width == 16);
}

TEST_CASE("Huge pictures are refused from the header, before memory is asked for") {
    CHECK_THROWS_WITH(decode(png_claiming(2'000'000'000, 2'000'000'000), "bomb.png"),
                      Contains("bomb.png") && Contains("2000000000 x 2000000000"));
    CHECK_THROWS_WITH(decode(png_claiming(8001, 8000), "bomb.png"), Contains("64 million"));
    CHECK_THROWS_WITH(decode(png_claiming(0xffffffffu, 1), "bomb.png"), Contains("damaged"));
    CHECK_THROWS_AS(decode(png_claiming(0, 8), "bomb.png"), Error);
    // A size that is allowed but not there is found by the decoder.
    CHECK_THROWS_AS(decode(png_claiming(4000, 4000), "short.png"), Error);

    std::vector<uint8_t> jpeg = encode_jpeg(picture(16, 16));
    for (size_t i = 2; i + 9 < jpeg.size(); ++i)
        if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) {
            jpeg[i + 5] = jpeg[i + 6] = jpeg[i + 7] = jpeg[i + 8] = 0xff;
            break;
        }
    CHECK_THROWS_WITH(decode(jpeg, "bomb.jpg"), Contains("65535 x 65535"));

    std::vector<uint8_t> bmp(70, 0);
    bmp[0] = 'B';
    bmp[1] = 'M';
    bmp[14] = 40;
    bmp[18] = bmp[19] = bmp[20] = bmp[22] = bmp[23] = bmp[24] = 0xff;
    bmp[28] = 24;
    CHECK_THROWS_WITH(decode(bmp, "bomb.bmp"), Contains("million"));
    const std::string pnm = "P6 99999 99999 255\n";
    CHECK_THROWS_WITH(decode(std::vector<uint8_t>(pnm.begin(), pnm.end()), "bomb.ppm"), Contains("million"));
}

TEST_CASE("A JPEG of thousands of scans is refused") {
    std::vector<uint8_t> jpeg = encode_jpeg(picture(16, 16));
    const std::vector<uint8_t> scan{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x12};
    jpeg.resize(jpeg.size() - 2);
    for (int i = 0; i < 5000; ++i) jpeg.insert(jpeg.end(), scan.begin(), scan.end());
    jpeg.push_back(0xff);
    jpeg.push_back(0xd9);
    CHECK_THROWS_WITH(decode(jpeg, "slow.jpg"), Contains("scans"));
}

TEST_CASE("A file cut off anywhere is refused") {
    for (const auto& whole : {encode_png(picture(40, 30)), encode_jpeg(picture(40, 30))})
        for (size_t size = 0; size < whole.size(); size += size < 64 ? 1 : 37)
            CHECK_FALSE(
                decodes(std::vector<uint8_t>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
}

TEST_CASE("A flipped bit in a PNG never passes") {
    const std::vector<uint8_t> whole = encode_png(picture(24, 24));
    liven::Random random(1);
    for (int i = 0; i < 300; ++i) {
        std::vector<uint8_t> bytes = whole;
        const size_t at = random.below(bytes.size() - 12);  // the last chunk's checksum is the end of it
        bytes[at] = static_cast<uint8_t>(bytes[at] ^ 1u << random.below(8));
        CHECK_FALSE(decodes(bytes));
    }
}

TEST_CASE("A flipped bit in a JPEG gives a picture or an error, never a crash") {
    const std::vector<uint8_t> whole = encode_jpeg(picture(48, 48));
    liven::Random random(2);
    for (int i = 0; i < 300; ++i) {
        std::vector<uint8_t> bytes = whole;
        const size_t at = random.below(bytes.size());
        bytes[at] = static_cast<uint8_t>(bytes[at] ^ 1u << random.below(8));
        decodes(bytes);
    }
}

TEST_CASE("A JPEG cut in the middle and closed again is refused, not painted grey") {
    std::vector<uint8_t> bytes = encode_jpeg(picture(96, 96));
    bytes.resize(bytes.size() * 3 / 4);
    while (bytes.back() == 0xff) bytes.pop_back();
    bytes.push_back(0xff);
    bytes.push_back(0xd9);
    CHECK_THROWS_WITH(decode(bytes, "half.jpg"), Contains("the data end before the blocks do"));
}

TEST_CASE("Sound JPEGs of every make pass: sampling, grey, restarts, progressive, one component a scan") {
    const std::filesystem::path files = std::filesystem::path(__FILE__).parent_path() / "files";
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(files)) {
        if (entry.path().extension() != ".jpg") continue;
        CAPTURE(entry.path().filename().string());
        const Image image = decode(entry.path());
        CHECK(image.width == 37);
        CHECK(image.height == 29);
        ++count;
    }
    CHECK(count == 8);
}

TEST_CASE("Noise behind any magic number ends in an error") {
    liven::Random random(3);
    for (const char* magic : {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "BM", "RIFF1234WEBPVP8 ", "RIFF1234WEBPVP8X",
                              "RIFF1234WEBPVP8L", "P6 ", "P3 ", "P5\n#", "GIF89a"})
        for (int i = 0; i < 40; ++i) {
            std::vector<uint8_t> bytes(magic, magic + std::char_traits<char>::length(magic));
            for (auto more = random.below(400); more > 0; --more) bytes.push_back(static_cast<uint8_t>(random.bits()));
            decodes(bytes);
        }
}

TEST_CASE("What is no picture says so, whatever its name") {
    TemporaryFolder folder;
    write_bytes(folder / "text.jpg", "these are words");
    write_bytes(folder / "empty.png", "");
    write_bytes(folder / "mislabelled.png", encode_jpeg(picture(9, 9)));
    CHECK_THROWS_WITH(decode(folder / "text.jpg"), Contains("text.jpg") && Contains("expected a JPEG"));
    CHECK_THROWS_WITH(decode(folder / "empty.png"), Contains("empty"));
    CHECK(decode(folder / "mislabelled.png").width == 9);  // the content decides
}

TEST_CASE("Missing files, folders, pipes and forbidden files are errors, not waits") {
    TemporaryFolder folder;
    CHECK_THROWS_WITH(decode(folder / "none.png"), Contains("does not exist"));
    CHECK_THROWS_WITH(decode(folder.path()), Contains("folder"));
    REQUIRE(::mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(decode(folder / "pipe.png"), Contains("pipe"));
    std::filesystem::create_symlink(folder / "loop.png", folder / "loop.png");
    CHECK_THROWS_AS(decode(folder / "loop.png"), Error);
    write_picture(folder / "secret.png");
    std::filesystem::permissions(folder / "secret.png", std::filesystem::perms::none);
    const WithoutRights rights;
    CHECK_THROWS_WITH(decode(folder / "secret.png"), Contains("Permission denied"));
}

TEST_CASE("A file above the limit is refused without being read") {
    TemporaryFolder folder;
    write_bytes(folder / "big.png", "x");
    std::filesystem::resize_file(folder / "big.png", static_cast<uintmax_t>(max_file_bytes) + 1);  // sparse
    CHECK_THROWS_WITH(decode(folder / "big.png"), Contains("256"));
}

TEST_CASE("Resizing to the same size changes nothing, and a flat picture stays flat") {
    const Image image = picture(13, 11);
    Image flat(20, 15);
    std::fill(flat.pixels.begin(), flat.pixels.end(), uint8_t{77});
    for (auto i : {Interpolation::bilinear, Interpolation::lanczos, Interpolation::area}) {
        CHECK(resize(image, 13, 11, i) == image);
        const Image other = resize(flat, 33, 7, i);
        CHECK(other.width == 33);
        CHECK(other.height == 7);
        // Fixed-point weights of 11 bits may miss the sum by a last bit.
        CHECK(std::all_of(other.pixels.begin(), other.pixels.end(), [](uint8_t v) { return std::abs(v - 77) <= 1; }));
        CHECK(interpolation_from(name_of(i)) == i);
    }
    CHECK_THROWS_WITH(interpolation_from("bicubic"), Contains("lanczos"));
}

TEST_CASE("Area shrinking takes means") {
    Image image(4, 2);
    for (int x = 0; x < 4; ++x)
        for (int y = 0; y < 2; ++y) image.at(x, y)[0] = static_cast<uint8_t>(10 * x + 2 * y);
    const Image half = resize(image, 2, 1, Interpolation::area);
    CHECK(half.at(0, 0)[0] == 6);   // mean of 0, 10, 2, 12
    CHECK(half.at(1, 0)[0] == 26);  // mean of 20, 30, 22, 32
}

TEST_CASE("Sizes that cannot be are refused") {
    const Image image = picture(4, 4);
    CHECK_THROWS_AS(resize(image, 0, 4, Interpolation::bilinear), Error);
    CHECK_THROWS_AS(resize(image, 4, -1, Interpolation::bilinear), Error);
    CHECK_THROWS_AS(resize(image, 100'000, 4, Interpolation::bilinear), Error);
    CHECK_THROWS_AS(resize(Image(), 4, 4, Interpolation::bilinear), Error);
    CHECK_THROWS_AS(Image(0, 1), Error);
    CHECK_THROWS_AS(Image(100'000, 100'000), Error);
    CHECK_THROWS_AS(encode_png(Image()), Error);
    CHECK_THROWS_AS(encode_jpeg(image, 0), Error);
    CHECK_THROWS_AS(write(image, "/nonexistent/folder/x.png"), Error);
    CHECK_THROWS_WITH(write(image, "x.gif"), Contains(".png"));
}

TEST_CASE("A crop grows by its margin and repeats the edge beyond the picture") {
    const Image image = picture(10, 8);
    const Image inner = crop(image, {2, 3, 4, 2});
    CHECK(inner.width == 4);
    CHECK(inner.height == 2);
    CHECK(std::equal(inner.at(0, 0), inner.at(0, 0) + 3, image.at(2, 3)));
    const Image wide = crop(image, {0, 0, 4, 4}, 0.5f);
    CHECK(wide.width == 8);
    CHECK(std::equal(wide.at(0, 0), wide.at(0, 0) + 3, image.at(0, 0)));  // (-2, -2) repeats the corner
    CHECK(std::equal(wide.at(3, 3), wide.at(3, 3) + 3, image.at(1, 1)));
}

TEST_CASE("Boxes that miss the picture or dwarf it are refused") {
    const Image image = picture(10, 8);
    const float nan = std::nanf(""), huge = 1e30f;
    for (const Box& box :
         {Box{20, 0, 4, 4}, Box{-9, 0, 4, 4}, Box{0, 0, 0, 4}, Box{0, 0, -4, 4}, Box{nan, 0, 4, 4},
          Box{0, 0, huge, huge}, Box{-huge, -huge, 2 * huge, 2 * huge}, Box{0, 0, nan, 4}, Box{0, 0, 4, INFINITY}})
        CHECK_THROWS_AS(crop(image, box), Error);
}
