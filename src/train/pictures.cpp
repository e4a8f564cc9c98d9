#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <opencv2/imgproc.hpp>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/image.hpp"
#include "liven/io/file.hpp"

namespace liven {
namespace {

constexpr int kTile = 160, kCaption = 34, kColumns = 6, kRows = 4;

struct Shown {
    size_t place;  ///< among the scored samples
    bool mistake;
};

/// Mistakes first, then the least certain.
std::vector<Shown> choose(const Scored& scored, double threshold, int32_t label, size_t count) {
    std::vector<Shown> all;
    for (size_t i = 0; i < scored.samples.size(); ++i) {
        const bool accepted = scored.scores.scores[i] >= threshold;
        if (scored.scores.labels[i] == label) all.push_back({i, accepted != (label == bonafide_class)});
    }
    std::stable_sort(all.begin(), all.end(), [&](const Shown& a, const Shown& b) {
        if (a.mistake != b.mistake) return a.mistake;
        return std::abs(scored.scores.scores[a.place] - threshold) <
               std::abs(scored.scores.scores[b.place] - threshold);
    });
    // Half the tiles show the hard cases, half what is typical.
    std::vector<Shown> chosen(all.begin(), all.begin() + static_cast<ptrdiff_t>(std::min(all.size(), count / 2)));
    for (size_t i = all.size(); i > chosen.size() && chosen.size() < count && i > count / 2; --i)
        chosen.push_back(all[i - 1]);
    return chosen;
}

void draw_tile(cv::Mat& sheet, int column, int row, const data::Sample& sample, double score, bool mistake) {
    const data::Image picture = data::resize(data::picture_of(sample), kTile - 8, kTile - 8, data::Interpolation::area);
    const cv::Rect tile(column * kTile, row * (kTile + kCaption), kTile, kTile);
    const cv::Scalar frame = mistake ? cv::Scalar(200, 30, 30) : cv::Scalar(225, 225, 225);
    cv::rectangle(sheet, tile, frame, cv::FILLED);
    const cv::Mat pixels(picture.height, picture.width, CV_8UC3, const_cast<uint8_t*>(picture.pixels.data()));
    pixels.copyTo(sheet(cv::Rect(tile.x + 4, tile.y + 4, picture.width, picture.height)));
    char text[64];
    const std::string kind = sample.label == data::Label::bonafide ? "bona fide"
                             : sample.attack_type.empty()          ? "attack"
                                                                   : sample.attack_type;
    std::snprintf(text, sizeof text, "%.22s  %.3f", kind.c_str(), score);
    cv::putText(sheet, text, {tile.x + 6, tile.y + kTile + 20}, cv::FONT_HERSHEY_SIMPLEX, 0.42,
                mistake ? cv::Scalar(200, 30, 30) : cv::Scalar(40, 40, 40), 1, cv::LINE_AA);
}

struct Curve {
    const char* key;
    const char* colour;
    const char* dash;
    const char* label;
};

std::string polyline(const std::vector<Json>& log, const Curve& curve, double x0, double y0, double width,
                     double height, double top) {
    std::string points;
    const double steps = std::max<double>(1, static_cast<double>(log.size()) - 1);
    char text[64];
    for (size_t i = 0; i < log.size(); ++i) {
        const Json* value = log[i].find(curve.key);
        if (!value || !value->is_number()) continue;
        std::snprintf(text, sizeof text, "%.1f,%.1f ", x0 + width * static_cast<double>(i) / steps,
                      y0 + height * (1 - std::clamp(value->number() / top, 0.0, 1.0)));
        points += text;
    }
    return "<polyline fill='none' stroke='" + std::string(curve.colour) + "' stroke-width='2' stroke-dasharray='" +
           curve.dash + "' points='" + points + "'/>\n";
}

std::string panel(const std::vector<Json>& log, const char* title, const std::vector<Curve>& curves, double x0,
                  double top) {
    constexpr double y0 = 40, width = 330, height = 220;
    char text[400];
    std::snprintf(text, sizeof text,
                  "<text x='%.0f' y='24' font-size='15'>%s</text>\n<rect x='%.0f' y='%.0f' width='%.0f' height='%.0f' "
                  "fill='none' "
                  "stroke='#999'/>\n<text x='%.0f' y='%.0f' text-anchor='end'>%.3g</text><text x='%.0f' y='%.0f' "
                  "text-anchor='end'>0</text>\n"
                  "<text x='%.0f' y='%.0f' text-anchor='middle'>epoch 1 to %zu</text>\n",
                  x0, title, x0, y0, width, height, x0 - 6, y0 + 8, top, x0 - 6, y0 + height, x0 + width / 2,
                  y0 + height + 20, log.size());
    std::string svg = text;
    double y = y0 + height + 40;
    for (const Curve& curve : curves) {
        svg += polyline(log, curve, x0, y0, width, height, top);
        std::snprintf(text, sizeof text,
                      "<line x1='%.0f' x2='%.0f' y1='%.0f' y2='%.0f' stroke='%s' stroke-width='2' "
                      "stroke-dasharray='%s'/><text x='%.0f' "
                      "y='%.0f'>%s</text>\n",
                      x0, x0 + 30, y - 4, y - 4, curve.colour, curve.dash, x0 + 38, y, curve.label);
        svg += text;
        y += 18;
    }
    return svg;
}

}  // namespace

void write_faces(const std::filesystem::path& path, const data::Dataset& set, const Scored& scored, double threshold) {
    cv::Mat sheet(kRows * (kTile + kCaption), kColumns * kTile, CV_8UC3, cv::Scalar(255, 255, 255));
    int place = 0;
    for (const int32_t label : {bonafide_class, attack_class}) {
        place = label == bonafide_class ? 0 : kColumns * kRows / 2;
        for (const Shown& shown : choose(scored, threshold, label, kColumns * kRows / 2)) {
            const auto& sample = set.samples[static_cast<size_t>(scored.samples[shown.place])];
            draw_tile(sheet, place % kColumns, place / kColumns, sample, scored.scores.scores[shown.place],
                      shown.mistake);
            ++place;
        }
    }
    data::Image image(sheet.cols, sheet.rows);
    std::copy(sheet.datastart, sheet.dataend, image.pixels.begin());
    data::write(image, path);
}

void write_curves(const std::filesystem::path& path, const std::vector<Json>& log) {
    double top = 1e-6;
    for (const Json& line : log)
        for (const char* key : {"loss", "val_loss"})
            if (const Json* value = line.find(key); value && value->is_number()) top = std::max(top, value->number());
    std::string svg =
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 820 340' font-family='sans-serif' font-size='12'>\n"
        "<rect width='820' height='340' fill='white'/>\n";
    // Two colours that stay apart for colour-blind eyes, and dashes that stay apart in print.
    svg += panel(log, "loss", {{"loss", "#0072b2", "", "training"}, {"val_loss", "#d55e00", "6 3", "validation"}}, 50,
                 top);
    svg += panel(log, "accuracy",
                 {{"accuracy", "#0072b2", "", "training"}, {"val_accuracy", "#d55e00", "6 3", "validation"}}, 450, 1);
    write_file_atomically(path, svg + "</svg>\n");
}

}  // namespace liven
