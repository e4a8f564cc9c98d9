#include "liven/data/image.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "liven/core/error.hpp"
#include "src/data/image/lanczos.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"
#include "src/data/whole_file.hpp"

namespace liven::data {
namespace fs = std::filesystem;

std::string_view name_of(Interpolation interpolation) {
    switch (interpolation) {
        case Interpolation::bilinear:
            return "bilinear";
        case Interpolation::lanczos:
            return "lanczos";
        case Interpolation::area:
            return "area";
    }
    return "?";
}

Interpolation interpolation_from(std::string_view name) {
    for (auto i : {Interpolation::bilinear, Interpolation::lanczos, Interpolation::area})
        if (name == name_of(i)) return i;
    throw Error("interpolation", "expected bilinear, lanczos or area, but got " + in_quotes(name));
}

Image::Image(int w, int h) : width(w), height(h) {
    if (w < 1 || h < 1 || int64_t{w} * h > max_pixels)
        throw Error("image", "cannot make a picture of " + std::to_string(w) + " x " + std::to_string(h) + " pixels");
    pixels.resize(static_cast<size_t>(w) * static_cast<size_t>(h) * 3);
}

std::vector<uint8_t> read_file(const fs::path& path) {
    const std::string name = path.string();
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (code && code != std::errc::no_such_file_or_directory) throw Error(name, "cannot be read: " + code.message());
    if (!fs::exists(status)) throw Error(name, "the file does not exist");
    // Opening a pipe would wait for ever, and a device has no end.
    if (!fs::is_regular_file(status)) throw Error(name, "expected a file, but it is a folder, pipe or device");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file) throw Error(name, std::string("cannot be opened: ") + std::strerror(errno));
    const uintmax_t size = fs::file_size(path, code);
    if (code) throw Error(name, "cannot be read: " + code.message());
    if (size == 0) throw Error(name, "the file is empty");
    if (size > static_cast<uintmax_t>(max_file_bytes))
        throw Error(name, "the file has " + std::to_string(size / 1'000'000) + " MB, more than the " +
                              std::to_string(max_file_bytes / 1'000'000) + " that are read");
    std::vector<uint8_t> bytes(static_cast<size_t>(size));
    if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size())
        throw Error(name, std::ferror(file.get()) != 0 ? std::string("cannot be read: ") + std::strerror(errno)
                                                       : "the file ended while it was read");
    return bytes;
}

Image decode(std::span<const uint8_t> file, std::string_view name) {
    const ImageHeader header = inspect(file, name);
    return guarded(name, [&] {
        const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8UC1, const_cast<uint8_t*>(file.data()));
        const cv::Mat bgr = cv::imdecode(bytes, cv::IMREAD_COLOR);
        if (bgr.empty())
            throw Error(name, "the " + std::string(header.format) + " data is damaged and cannot be decoded");
        const bool as_declared = (bgr.cols == header.width && bgr.rows == header.height) ||
                                 (bgr.cols == header.height && bgr.rows == header.width);  // turned by its orientation
        if (!as_declared) throw Error(name, "the header and the data disagree about the picture's size");
        Image out(bgr.cols, bgr.rows);
        cv::Mat rgb = view(out);
        cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
        return out;
    });
}

Image decode(const fs::path& path) { return decode(read_file(path), path.string()); }

namespace {

std::vector<uint8_t> encode(const Image& image, const char* ending, const std::vector<int>& options) {
    if (image.empty()) throw Error("encode", "the picture is empty");
    return guarded("encode", [&] {
        cv::Mat bgr;
        cv::cvtColor(view(image), bgr, cv::COLOR_RGB2BGR);
        std::vector<uint8_t> bytes;
        if (!cv::imencode(ending, bgr, bytes, options)) throw Error("encode", "OpenCV cannot write this picture");
        return bytes;
    });
}

}  // namespace

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
    if (quality < 1 || quality > 100)
        throw Error("encode_jpeg", "expected a quality from 1 to 100, but got " + std::to_string(quality));
    return encode(image, ".jpg", {cv::IMWRITE_JPEG_QUALITY, quality});
}

std::vector<uint8_t> encode_png(const Image& image, bool quick) {
    // OpenCV's own choice, when none is named, is one filter and runs of bytes alone.
    return encode(image, ".png", quick ? std::vector<int>{} : std::vector<int>{cv::IMWRITE_PNG_COMPRESSION, 3});
}

void write(const Image& image, const fs::path& path, int quality) {
    const std::string ending = lower(path.extension().string());
    const bool jpeg = ending == ".jpg" || ending == ".jpeg";
    if (!jpeg && ending != ".png") throw Error(path.string(), "a picture's name ends in .jpg, .jpeg or .png here");
    const std::vector<uint8_t> bytes = jpeg ? encode_jpeg(image, quality) : encode_png(image);
    write_whole(path, bytes);
}

Image resize(const Image& image, int width, int height, Interpolation interpolation) {
    if (image.empty()) throw Error("resize", "the picture is empty");
    if (width < 1 || height < 1 || width > 16384 || height > 16384 || int64_t{width} * height > max_pixels)
        throw Error("resize", "expected sides from 1 to 16384, but got " + std::to_string(width) + " x " +
                                  std::to_string(height));
    if (image.width == width && image.height == height) return image;
    if (interpolation == Interpolation::lanczos) return lanczos(image, width, height);
    return guarded("resize", [&] {
        Image out(width, height);
        cv::Mat dst = view(out);
        cv::resize(view(image), dst, dst.size(), 0, 0, flag_of(interpolation));
        return out;
    });
}

Box crop_window(const Image& image, const Box& box, float margin) {
    const auto text = [&] {
        return "box " + number(box.x) + " " + number(box.y) + " " + number(box.width) + " " + number(box.height);
    };
    if (image.empty()) throw Error("crop", "the picture is empty");
    if (!std::isfinite(box.x) || !std::isfinite(box.y) || !(box.width > 0) || !(box.height > 0) ||
        !std::isfinite(margin))
        throw Error("crop", text() + " is no rectangle");
    const double grow_x = double{box.width} * margin, grow_y = double{box.height} * margin;
    const double left = std::floor(box.x - grow_x + 0.5), top = std::floor(box.y - grow_y + 0.5);
    const double right = std::floor(double{box.x} + box.width + grow_x + 0.5),
                 bottom = std::floor(double{box.y} + box.height + grow_y + 0.5);
    const bool outside = !(left < image.width) || !(top < image.height) || !(right > 0) || !(bottom > 0);
    // Beyond a picture's own size on every side there is nothing to see, and the memory would be the box's choice.
    const bool huge = right - left > 3.0 * image.width + 2 || bottom - top > 3.0 * image.height + 2;
    if (outside || huge || right - left < 1 || bottom - top < 1)
        throw Error("crop", text() + " does not fit a picture of " + std::to_string(image.width) + " x " +
                                std::to_string(image.height));
    return {static_cast<float>(left), static_cast<float>(top), static_cast<float>(right - left),
            static_cast<float>(bottom - top)};
}

Image crop(const Image& image, const Box& box, float margin) {
    const Box window = crop_window(image, box, margin);
    Image out(static_cast<int>(window.width), static_cast<int>(window.height));
    const int x0 = static_cast<int>(window.x), y0 = static_cast<int>(window.y);
    // Columns [first, last) of the result lie in the picture.
    const int first = std::clamp(-x0, 0, out.width), last = std::clamp(image.width - x0, first, out.width);
    for (int y = 0; y < out.height; ++y) {
        const int row = std::clamp(y0 + y, 0, image.height - 1);
        for (int x = 0; x < first; ++x) std::memcpy(out.at(x, y), image.at(0, row), 3);
        std::memcpy(out.at(first, y), image.at(x0 + first, row), static_cast<size_t>(last - first) * 3);
        for (int x = last; x < out.width; ++x) std::memcpy(out.at(x, y), image.at(image.width - 1, row), 3);
    }
    return out;
}

}  // namespace liven::data
