#include "liven/data/enhance.hpp"

#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/photo.hpp>
#include <string>

#include "liven/core/error.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

using ByteTable = std::array<uint8_t, 256>;

ByteTable gamma_table(double gamma) {
    ByteTable table{};
    for (size_t v = 0; v < table.size(); ++v)
        table[v] = cv::saturate_cast<uint8_t>(255 * std::pow(static_cast<double>(v) / 255, 1 / gamma));
    return table;
}
ByteTable stretch_table(double gain, double offset) {
    ByteTable table{};
    for (size_t v = 0; v < table.size(); ++v)
        table[v] = cv::saturate_cast<uint8_t>(gain * static_cast<double>(v) + offset);
    return table;
}
void map_bytes(cv::Mat& image, const ByteTable& table) {
    cv::LUT(image, cv::Mat(1, 256, CV_8UC1, const_cast<uint8_t*>(table.data())), image);
}

// The stages on OpenCV's matrices, red first; the result replaces the picture, so a chain copies nothing.

void smooth_mat(cv::Mat& image, int diameter, double sigma_colour, double sigma_space) {
    cv::Mat out;
    cv::bilateralFilter(image, out, diameter, sigma_colour, sigma_space);
    image = out;
}
void equalize_mat(cv::Mat& image, double clip, int tiles) {
    cv::Mat lab, lightness;
    cv::cvtColor(image, lab, cv::COLOR_RGB2Lab);
    cv::extractChannel(lab, lightness, 0);
    cv::createCLAHE(clip, {tiles, tiles})->apply(lightness, lightness);
    cv::insertChannel(lightness, lab, 0);
    cv::cvtColor(lab, image, cv::COLOR_Lab2RGB);
}
void unsharp_mat(cv::Mat& image, double sigma, double amount) {
    cv::Mat blurred;
    cv::GaussianBlur(image, blurred, {0, 0}, sigma);
    cv::addWeighted(image, amount, blurred, 1 - amount, 0, image);
}
void denoise_mat(cv::Mat& image, double lightness, double colour) {
    cv::Mat bgr, out;
    cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
    cv::fastNlMeansDenoisingColored(bgr, out, static_cast<float>(lightness), static_cast<float>(colour), 7, 21);
    cv::cvtColor(out, image, cv::COLOR_BGR2RGB);
}
void sharpen_mat(cv::Mat& image, double keep) {
    const cv::Mat kernel = (cv::Mat_<float>(3, 3) << -1, -1, -1, -1, 9, -1, -1, -1, -1);
    cv::Mat sharp;
    cv::filter2D(image, sharp, -1, kernel);
    cv::addWeighted(image, keep, sharp, 1 - keep, 0, image);
}

void require(bool fine, const char* what, double value) {
    if (!fine) throw Error("enhance", std::string("expected ") + what + ", but got " + number(value));
}

template <class Stage>
Image enhanced(const Image& image, Stage&& stage) {
    if (image.empty()) throw Error("enhance", "the picture is empty");
    return guarded("enhance", [&] {
        Image out = image;
        cv::Mat mat = view(out);
        stage(mat);
        // A stage may have moved to memory of its own.
        return mat.data == out.pixels.data() ? std::move(out) : image_from(mat);
    });
}

}  // namespace

Image bilateral(const Image& image, int diameter, double sigma_colour, double sigma_space) {
    require(diameter >= 1 && diameter <= 255, "a diameter from 1 to 255", diameter);
    require(sigma_colour > 0 && sigma_colour <= 1e4, "a sigma above 0", sigma_colour);
    require(sigma_space > 0 && sigma_space <= 1e4, "a sigma above 0", sigma_space);
    return enhanced(image, [&](cv::Mat& mat) { smooth_mat(mat, diameter, sigma_colour, sigma_space); });
}

Image equalize(const Image& image, double clip, int tiles) {
    require(clip > 0 && clip <= 256, "a clip limit above 0, up to 256", clip);
    require(tiles >= 1 && tiles <= 256, "1 to 256 tiles", tiles);
    return enhanced(image, [&](cv::Mat& mat) { equalize_mat(mat, clip, tiles); });
}

Image unsharp(const Image& image, double sigma, double amount) {
    require(sigma > 0 && sigma <= 100, "a sigma above 0, up to 100", sigma);
    require(std::isfinite(amount), "a finite amount", amount);
    return enhanced(image, [&](cv::Mat& mat) { unsharp_mat(mat, sigma, amount); });
}

Image correct_gamma(const Image& image, double gamma) {
    require(gamma > 0 && std::isfinite(gamma), "a gamma above 0", gamma);
    return enhanced(image, [&](cv::Mat& mat) { map_bytes(mat, gamma_table(gamma)); });
}

Image stretch(const Image& image, double gain, double offset) {
    require(std::isfinite(gain) && std::isfinite(offset), "a finite gain and offset", gain);
    return enhanced(image, [&](cv::Mat& mat) { map_bytes(mat, stretch_table(gain, offset)); });
}

Image denoise(const Image& image, double lightness, double colour) {
    require(lightness > 0 && lightness <= 255, "a strength above 0, up to 255", lightness);
    require(colour > 0 && colour <= 255, "a strength above 0, up to 255", colour);
    return enhanced(image, [&](cv::Mat& mat) { denoise_mat(mat, lightness, colour); });
}

Image sharpen(const Image& image, double keep) {
    require(keep >= 0 && keep <= 1, "a share from 0 to 1", keep);
    return enhanced(image, [&](cv::Mat& mat) { sharpen_mat(mat, keep); });
}

std::string_view name_of(Enhancement enhancement) {
    switch (enhancement) {
        case Enhancement::none:
            return "none";
        case Enhancement::photo:
            return "photo";
        case Enhancement::video:
            return "video";
    }
    return "?";
}

Image enhance(const Image& image, Enhancement enhancement) {
    if (enhancement == Enhancement::none) return image;
    return enhanced(image, [&](cv::Mat& mat) {
        if (enhancement == Enhancement::video) {
            smooth_mat(mat, 9, 80, 80);
            denoise_mat(mat, 10, 10);
            equalize_mat(mat, 4, 8);
            sharpen_mat(mat, 0.7);
            return;
        }
        smooth_mat(mat, 9, 75, 75);
        equalize_mat(mat, 3, 8);
        unsharp_mat(mat, 2, 1.5);
        // The last two stages map each byte by itself: one table does both.
        ByteTable table = gamma_table(1.2);
        const ByteTable wider = stretch_table(1.1, 5);
        for (uint8_t& v : table) v = wider[v];
        map_bytes(mat, table);
    });
}

}  // namespace liven::data
