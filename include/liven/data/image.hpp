#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Pictures in memory and on disk. Decoding never trusts a file: the header is read and the size refused before any
/// pixel is.
namespace liven::data {

/// How pixels between pixels are found. `lanczos` is an 8 x 8 window as OpenCV's (within one level; no smoothing when
/// it shrinks; what K uses), `bilinear` the 2 x 2 one, `area` the mean over the covered pixels, right for strong
/// shrinking.
enum class Interpolation : uint8_t { bilinear, lanczos, area };

std::string_view name_of(Interpolation interpolation);
/// Throws Error naming the choices.
Interpolation interpolation_from(std::string_view name);

/// A rectangle in pixels, x to the right and y down, as a face detector gives it; may reach beyond the picture.
struct Box {
    float x = 0, y = 0, width = 0, height = 0;
    bool operator==(const Box&) const = default;
};

/// A place in a picture, x to the right and y down; whole numbers are the middles of pixels.
struct Point {
    float x = 0, y = 0;
    bool operator==(const Point&) const = default;
};

/// height x width x 3 bytes, red first, rows without gaps.
struct Image {
    int width = 0, height = 0;
    std::vector<uint8_t> pixels;

    Image() = default;
    /// A black picture. Throws Error for a side below 1 or more than `max_pixels`.
    Image(int width, int height);

    bool empty() const { return pixels.empty(); }
    uint8_t* at(int x, int y) {
        return pixels.data() + (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) * 3;
    }
    const uint8_t* at(int x, int y) const { return const_cast<Image*>(this)->at(x, y); }
    bool operator==(const Image&) const = default;
};

/// Files above `max_file_bytes` and pictures above `max_pixels` are refused from the header.
inline constexpr int64_t max_pixels = 64'000'000;
inline constexpr int64_t max_file_bytes = 256'000'000;

/// What the first bytes of a file say, before anything is decoded.
struct ImageHeader {
    std::string_view format;  ///< "jpeg", "png", "bmp", "webp", "pnm"
    int64_t width = 0, height = 0;
};

/// Reads the header and walks the file's structure (PNG: every chunk and its checksum; JPEG: every segment to the end
/// mark) without decoding. `name` stands in messages. Throws Error for what is no picture, is cut off, damaged or too
/// large.
ImageHeader inspect(std::span<const uint8_t> file, std::string_view name);

/// The bytes of a regular file. Throws Error when it is missing, empty, unreadable, no regular file or above
/// `max_file_bytes`.
std::vector<uint8_t> read_file(const std::filesystem::path& path);

/// JPEG, PNG, BMP, WebP or PNM to 8-bit RGB: grey is repeated, alpha dropped, 16 bits become 8, and the EXIF
/// orientation is carried out, so that a picture comes upright and boxes are given on the upright picture. Throws Error
/// as `inspect` does.
Image decode(std::span<const uint8_t> file, std::string_view name);
Image decode(const std::filesystem::path& path);

/// Quality 1 to 100 for JPEG. Throws Error for an empty picture.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality = 95);
/// `quick` takes a third of the time for a few hundredths more bytes.
std::vector<uint8_t> encode_png(const Image& image, bool quick = false);
/// By the ending: .jpg, .jpeg or .png. Throws Error when the file cannot be written.
void write(const Image& image, const std::filesystem::path& path, int quality = 95);

/// width x height, stretched. Throws Error for an empty picture or a side outside 1..16384.
Image resize(const Image& image, int width, int height, Interpolation interpolation);

/// The box grown by `margin` times its size on every side (0.5 doubles it), in whole pixels; it may reach beyond the
/// picture. Throws Error when the box misses the picture or is empty.
Box crop_window(const Image& image, const Box& box, float margin = 0);
/// The pixels of that window, edge pixels repeated beyond the picture.
Image crop(const Image& image, const Box& box, float margin = 0);

}  // namespace liven::data
