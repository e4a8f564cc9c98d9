#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "liven/core/error.hpp"
#include "liven/data/image.hpp"
#include "src/core/crc32.hpp"
#include "src/data/image/jpeg_walk.hpp"

/// Headers and structure of picture files, read without decoding. Every access is checked against the end of the file.
namespace liven::data {
namespace {

using Bytes = std::span<const uint8_t>;

uint32_t big16(Bytes b, size_t i) { return static_cast<uint32_t>(b[i] << 8 | b[i + 1]); }
uint32_t big32(Bytes b, size_t i) { return big16(b, i) << 16 | big16(b, i + 2); }
uint32_t little16(Bytes b, size_t i) { return static_cast<uint32_t>(b[i] | b[i + 1] << 8); }
uint32_t little24(Bytes b, size_t i) { return little16(b, i) | static_cast<uint32_t>(b[i + 2]) << 16; }
uint32_t little32(Bytes b, size_t i) { return little16(b, i) | little16(b, i + 2) << 16; }

bool starts(Bytes file, std::string_view magic, size_t at = 0) {
    return file.size() >= at + magic.size() && std::memcmp(file.data() + at, magic.data(), magic.size()) == 0;
}

class Inspector {
public:
    Inspector(Bytes file, std::string_view name) : file_(file), name_(name) {}

    ImageHeader run() const {
        if (file_.empty()) fail("the file is empty");
        const ImageHeader header = dispatch();
        if (header.width < 1 || header.height < 1) fail("the header says " + size_text(header) + " pixels");
        // Sides are below 2^31 each, so the product fits.
        if (header.width * header.height > max_pixels)
            fail("the header says " + size_text(header) + " pixels, more than the " +
                     std::to_string(max_pixels / 1'000'000) + " million that are read",
                 "make the picture smaller, or leave the file out");
        if (header.format == "jpeg")
            if (const auto damage = find_jpeg_damage(file_)) fail("the JPEG is damaged: " + *damage);
        return header;
    }

private:
    [[noreturn]] void fail(const std::string& what, std::string_view hint = {}) const {
        throw Error(name_, what, hint);
    }
    [[noreturn]] void cut_off() const { fail("the file is cut off", "copy or export it again"); }
    static std::string size_text(const ImageHeader& h) {
        return std::to_string(h.width) + " x " + std::to_string(h.height);
    }
    void need(size_t bytes) const {
        if (file_.size() < bytes) cut_off();
    }

    ImageHeader dispatch() const {
        if (starts(file_, "\x89PNG\r\n\x1a\n")) return png();
        if (starts(file_, "\xff\xd8\xff")) return jpeg();
        if (starts(file_, "BM")) return bmp();
        if (starts(file_, "RIFF") && starts(file_, "WEBP", 8)) return webp();
        if (file_.size() > 2 && file_[0] == 'P' && file_[1] >= '2' && file_[1] <= '6' && file_[1] != '4' &&
            std::isspace(file_[2]))
            return pnm();
        fail("expected a JPEG, PNG, BMP, WebP or PNM picture, but the file begins like none of them");
    }

    ImageHeader png() const {
        need(33);
        if (!starts(file_, "IHDR", 12)) fail("the PNG does not begin with its header chunk");
        const ImageHeader header{"png", big32(file_, 16), big32(file_, 20)};
        if (header.width >= int64_t{1} << 31 || header.height >= int64_t{1} << 31) fail("the PNG header is damaged");
        bool data = false;
        for (size_t at = 8; at < file_.size();) {
            need(at + 12);
            const size_t length = big32(file_, at);
            if (length > file_.size() - at - 12) cut_off();
            if (crc32(0, file_.data() + at + 4, length + 4) != big32(file_, at + 8 + length))
                fail("a PNG chunk does not match its checksum: the file is damaged");
            data = data || starts(file_, "IDAT", at + 4);
            if (starts(file_, "IEND", at + 4)) {
                if (!data) fail("the PNG holds no picture data");
                return header;
            }
            at += 12 + length;
        }
        cut_off();
    }

    /// Position behind the entropy-coded data that begins at `at`: the next marker that is neither a stuffed zero nor a
    /// restart.
    size_t skip_scan(size_t at) const {
        while (at + 1 < file_.size()) {
            const void* found = std::memchr(file_.data() + at, 0xff, file_.size() - 1 - at);
            if (!found) break;
            at = static_cast<size_t>(static_cast<const uint8_t*>(found) - file_.data());
            const uint8_t marker = file_[at + 1];
            if (marker != 0x00 && marker != 0xff && (marker < 0xd0 || marker > 0xd7)) return at;
            at += marker == 0xff ? 1 : 2;
        }
        cut_off();
    }

    ImageHeader jpeg() const {
        constexpr int scan_limit =
            200;  // a progressive picture has about ten; thousands keep a decoder busy for minutes
        ImageHeader header{"jpeg", 0, 0};
        int scans = 0;
        for (size_t at = 2;;) {
            need(at + 2);
            if (file_[at] != 0xff) fail("the JPEG is damaged: no marker at byte " + std::to_string(at));
            const uint8_t marker = file_[at + 1];
            if (marker == 0xff) {
                ++at;
                continue;
            }
            if (marker == 0xd9) break;
            if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
                at += 2;
                continue;
            }
            need(at + 4);
            const size_t length = big16(file_, at + 2);
            if (length < 2) fail("the JPEG is damaged: a segment at byte " + std::to_string(at) + " has no length");
            need(at + 2 + length);
            const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
            if (frame) {
                need(at + 9);
                header.height = big16(file_, at + 5);
                header.width = big16(file_, at + 7);
            }
            at += 2 + length;
            if (marker == 0xda) {
                if (++scans > scan_limit) fail("the JPEG has more than " + std::to_string(scan_limit) + " scans");
                at = skip_scan(at);
            }
        }
        if (scans == 0) fail("the JPEG holds no picture data");
        return header;
    }

    ImageHeader bmp() const {
        need(26);
        const uint32_t info = little32(file_, 14);
        if (info == 12) return {"bmp", little16(file_, 18), little16(file_, 20)};
        const auto width = static_cast<int32_t>(little32(file_, 18)),
                   height = static_cast<int32_t>(little32(file_, 22));
        const ImageHeader header{"bmp", width, height < 0 ? -int64_t{height} : height};
        need(30);
        const int64_t bits = little16(file_, 28);
        const bool plain = file_.size() >= 34 && little32(file_, 30) == 0;
        if (!plain || header.width <= 0 || header.width * header.height > max_pixels) return header;
        const int64_t row = (header.width * bits + 31) / 32 * 4;
        if (row * header.height > static_cast<int64_t>(file_.size())) cut_off();
        return header;
    }

    ImageHeader webp() const {
        need(30);
        if (int64_t{little32(file_, 4)} + 8 > static_cast<int64_t>(file_.size())) cut_off();
        if (starts(file_, "VP8X", 12))
            return {"webp", int64_t{little24(file_, 24)} + 1, int64_t{little24(file_, 27)} + 1};
        if (starts(file_, "VP8L", 12)) {
            const uint32_t bits = little32(file_, 21);
            return {"webp", int64_t{bits & 0x3fff} + 1, int64_t{bits >> 14 & 0x3fff} + 1};
        }
        if (starts(file_, "VP8 ", 12)) return {"webp", little16(file_, 26) & 0x3fff, little16(file_, 28) & 0x3fff};
        fail("the WebP file has no picture chunk");
    }

    /// The next number of a PNM header, comments passed over.
    int64_t pnm_number(size_t& at) const {
        while (at < file_.size() && (std::isspace(file_[at]) || file_[at] == '#')) {
            if (file_[at] == '#')
                while (at < file_.size() && file_[at] != '\n') ++at;
            else
                ++at;
        }
        const char* begin = reinterpret_cast<const char*>(file_.data()) + at;
        const char* end = reinterpret_cast<const char*>(file_.data()) + file_.size();
        int32_t value = 0;
        const auto [stop, error] = std::from_chars(begin, end, value);
        if (error != std::errc() || value < 0) fail("the PNM header is damaged");
        at += static_cast<size_t>(stop - begin);
        return value;
    }
    ImageHeader pnm() const {
        size_t at = 2;
        const int64_t width = pnm_number(at), height = pnm_number(at), maximum = pnm_number(at);
        if (maximum < 1 || maximum > 65535) fail("the PNM header is damaged");
        const bool binary = file_[1] >= '5', colour = file_[1] == '3' || file_[1] == '6';
        const ImageHeader header{"pnm", width, height};
        if (width * height > max_pixels) return header;
        // One byte of text, or of data, is the least a value takes.
        const int64_t least = width * height * (colour ? 3 : 1) * (binary && maximum > 255 ? 2 : 1);
        if (least > static_cast<int64_t>(file_.size() - at)) cut_off();
        return header;
    }

    Bytes file_;
    std::string_view name_;
};

}  // namespace

ImageHeader inspect(std::span<const uint8_t> file, std::string_view name) { return Inspector(file, name).run(); }

}  // namespace liven::data
