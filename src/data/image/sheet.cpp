#include "liven/data/sheet.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string_view>
#include <utility>

#include "liven/core/error.hpp"
#include "opencv.hpp"

namespace liven::data {
namespace {

constexpr int kFrame = 4, kLine = 17, kFoot = 17;
const cv::Scalar kPaper(255, 255, 255), kQuiet(225, 225, 225), kInk(40, 40, 40), kRed(200, 30, 30);

/// The picture as large as it can be within a square of `side`.
Image fitted(const Image& picture, int side) {
    const double factor = static_cast<double>(side) / std::max(picture.width, picture.height);
    const auto scaled = [&](int extent) { return std::clamp(static_cast<int>(std::lround(extent * factor)), 1, side); };
    const Interpolation how = factor < 1 ? Interpolation::area : Interpolation::bilinear;
    return resize(picture, scaled(picture.width), scaled(picture.height), how);
}

std::string ascii(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80)
            out += byte < 0x20 ? ' ' : c;
        else if (byte >= 0xc0)  // the first of a letter's bytes
            out += '?';
    }
    return out;
}

/// As many letters as fit into `width` pixels.
std::string fitting(std::string text, double size, int width) {
    int below = 0;
    while (!text.empty() && cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, size, 1, &below).width > width)
        text.pop_back();
    return text;
}

void draw_tile(cv::Mat& sheet, const SheetTile& tile, int side, cv::Point corner) {
    cv::rectangle(sheet, cv::Rect(corner.x, corner.y, side, side), tile.marked ? kRed : kQuiet, cv::FILLED);
    const int inner = side - 2 * kFrame;
    const Image picture = fitted(tile.picture, inner);
    const cv::Rect place(corner.x + kFrame + (inner - picture.width) / 2,
                         corner.y + kFrame + (inner - picture.height) / 2, picture.width, picture.height);
    view(picture).copyTo(sheet(place));
}

void write_lines(cv::Mat& sheet, const SheetTile& tile, int side, cv::Point corner, int most) {
    constexpr double size = 0.42;
    int y = corner.y + side + kLine;
    for (size_t i = 0; i < std::min(tile.lines.size(), static_cast<size_t>(most)); ++i, y += kLine)
        cv::putText(sheet, fitting(ascii(tile.lines[i]), size, side - 2 * kFrame), {corner.x + kFrame + 2, y},
                    cv::FONT_HERSHEY_SIMPLEX, size, tile.marked ? kRed : kInk, 1, cv::LINE_AA);
}

}  // namespace

Sheet::Sheet(const Options& options) : options_(options) {
    if (options.columns < 1 || options.side < 16 || options.lines < 0)
        throw Error("sheet", "expected a column, a side of 16 pixels and no lines or more, got " +
                                 std::to_string(options.columns) + ", " + std::to_string(options.side) + " and " +
                                 std::to_string(options.lines));
}

Sheet& Sheet::add(SheetTile tile) {
    placed_.push_back({.tile = std::move(tile), .column = column_, .row = row_});
    if (++column_ == options_.columns) column_ = 0, ++row_;
    return *this;
}

Sheet& Sheet::end_row() {
    if (column_ > 0) column_ = 0, ++row_;
    return *this;
}

Image Sheet::image() const {
    if (placed_.empty()) throw Error("sheet", "there is no picture to show");
    const int height = options_.side + (options_.lines > 0 ? options_.lines * kLine + kFoot : 0);
    int columns = 0;
    for (const Placed& placed : placed_) columns = std::max(columns, placed.column + 1);
    Image image(columns * options_.side, (placed_.back().row + 1) * height);
    guarded("sheet", [&] {
        cv::Mat sheet = view(image);
        sheet.setTo(kPaper);
        for (const Placed& placed : placed_) {
            const cv::Point corner(placed.column * options_.side, placed.row * height);
            draw_tile(sheet, placed.tile, options_.side, corner);
            write_lines(sheet, placed.tile, options_.side, corner, options_.lines);
        }
    });
    return image;
}

Image colour_map(std::span<const float> values, int width, int height, double full) {
    if (values.size() != static_cast<size_t>(width) * static_cast<size_t>(height))
        throw Error("colour map", "expected " + std::to_string(width) + " x " + std::to_string(height) +
                                      " values, got " + std::to_string(values.size()));
    cv::Mat level(height, width, CV_8U), colours;
    std::transform(values.begin(), values.end(), level.data, [&](float value) {
        const double share = static_cast<double>(value) / full;
        return static_cast<uint8_t>(share > 0 ? 255 * std::min(share, 1.0) : 0);  // also for NaN
    });
    cv::applyColorMap(level, colours, cv::COLORMAP_INFERNO);
    Image image(width, height);
    cv::Mat rgb = view(image);
    cv::cvtColor(colours, rgb, cv::COLOR_BGR2RGB);
    return image;
}

Image beside(const Image& left, const Image& right) {
    if (left.height != right.height)
        throw Error("pictures",
                    "expected one height, got " + std::to_string(left.height) + " and " + std::to_string(right.height));
    Image both(left.width + right.width, left.height);
    const cv::Mat sheet = view(both);
    view(left).copyTo(sheet(cv::Rect(0, 0, left.width, left.height)));
    view(right).copyTo(sheet(cv::Rect(left.width, 0, right.width, right.height)));
    return both;
}

}  // namespace liven::data
