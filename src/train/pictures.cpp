#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/sheet.hpp"
#include "liven/io/file.hpp"
#include "liven/train/cue_picture.hpp"

namespace liven {
namespace {

constexpr int kColumns = 6, kRows = 4;

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

/// A sheet of rows of pictures, the upper half bona fide; a picture takes as many tiles side by side as `tiles_of`
/// gives.
using TilesOf = std::function<std::vector<data::Image>(const data::Sample&)>;
void write_sheet(const std::filesystem::path& path, const data::Dataset& set, const Scored& scored, double threshold,
                 size_t tiles, const TilesOf& tiles_of) {
    data::Sheet sheet({.columns = kColumns});
    const size_t pictures = kColumns * kRows / 2 / tiles;
    for (const int32_t label : {bonafide_class, attack_class}) {
        for (const Shown& shown : choose(scored, threshold, label, pictures)) {
            const auto& sample = set.samples[static_cast<size_t>(scored.samples[shown.place])];
            std::vector<std::string> lines{caption_of(sample, scored.scores.scores[shown.place])};
            for (data::Image& tile : tiles_of(sample))
                sheet.add({.picture = std::move(tile), .lines = std::exchange(lines, {}), .marked = shown.mistake});
        }
        sheet.end_row();
    }
    data::write(sheet.image(), path);
}

struct Curve {
    std::string key;
    const char *colour, *dash, *label;
};

/// A diagram of a few curves over the epochs, from 0 to `top`.
struct Panel {
    std::string title;
    std::vector<Curve> curves;
    double top = 0;
    double x = 0, y = 0;  ///< of its upper left corner
};
constexpr double kPlotWidth = 330, kPlotHeight = 220;
constexpr size_t kPanelHeight = 340;

std::vector<Curve> curves_of(const std::string& key) {
    return {{key, "#0072b2", "", "training"}, {"val_" + key, "#d55e00", "6 3", "validation"}};
}

std::vector<std::string> terms_of(const std::vector<Json>& log) {
    std::vector<std::string> terms;
    if (log.empty()) return terms;
    for (const auto& [key, value] : log.back().members())
        if (key.rfind("loss.", 0) == 0) terms.push_back(key.substr(5));
    return terms;
}

double largest(const std::vector<Json>& log, const std::vector<Curve>& curves) {
    double top = 1e-6;
    for (const Json& line : log)
        for (const Curve& curve : curves)
            if (const Json* value = line.find(curve.key); value && value->is_number())
                top = std::max(top, value->number());
    return top;
}

std::string polyline(const std::vector<Json>& log, const Curve& curve, const Panel& panel) {
    std::string points;
    const double steps = std::max<double>(1, static_cast<double>(log.size()) - 1);
    char text[64];
    for (size_t i = 0; i < log.size(); ++i) {
        const Json* value = log[i].find(curve.key);
        if (!value || !value->is_number()) continue;
        std::snprintf(text, sizeof text, "%.1f,%.1f ", panel.x + kPlotWidth * static_cast<double>(i) / steps,
                      panel.y + kPlotHeight * (1 - std::clamp(value->number() / panel.top, 0.0, 1.0)));
        points += text;
    }
    return "<polyline fill='none' stroke='" + std::string(curve.colour) + "' stroke-width='2' stroke-dasharray='" +
           curve.dash + "' points='" + points + "'/>\n";
}

std::string drawn(const std::vector<Json>& log, const Panel& panel) {
    const double x0 = panel.x, y0 = panel.y;
    char text[500];
    std::snprintf(text, sizeof text,
                  "<text x='%.0f' y='%.0f' font-size='15'>%.60s</text>\n<rect x='%.0f' y='%.0f' width='%.0f' "
                  "height='%.0f' fill='none' "
                  "stroke='#999'/>\n<text x='%.0f' y='%.0f' text-anchor='end'>%.3g</text><text x='%.0f' y='%.0f' "
                  "text-anchor='end'>0</text>\n"
                  "<text x='%.0f' y='%.0f' text-anchor='middle'>epoch 1 to %zu</text>\n",
                  x0, y0 - 16, panel.title.c_str(), x0, y0, kPlotWidth, kPlotHeight, x0 - 6, y0 + 8, panel.top, x0 - 6,
                  y0 + kPlotHeight, x0 + kPlotWidth / 2, y0 + kPlotHeight + 20, log.size());
    std::string svg = text;
    double y = y0 + kPlotHeight + 40;
    for (const Curve& curve : panel.curves) {
        svg += polyline(log, curve, panel);
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

std::string caption_of(const data::Sample& sample, double score) {
    char text[64];
    const std::string kind = sample.label == data::Label::bonafide ? "bona fide"
                             : sample.attack_type.empty()          ? "attack"
                                                                   : sample.attack_type;
    std::snprintf(text, sizeof text, "%.22s  %.3f", kind.c_str(), score);
    return text;
}

void write_faces(const std::filesystem::path& path, const data::Dataset& set, const Scored& scored, double threshold) {
    write_sheet(path, set, scored, threshold, 1,
                [](const data::Sample& sample) { return std::vector<data::Image>{data::picture_of(sample)}; });
}

void write_cues(const std::filesystem::path& path, const data::Dataset& set, const Scored& scored, Module& model,
                const ModelFileInfo& info) {
    CuePainter painter(model, info);
    write_sheet(path, set, scored, info.threshold.value, 2, [&](const data::Sample& sample) {
        const data::Image face = info.preprocess.frame(data::picture_of(sample), sample.box);
        return std::vector<data::Image>{face, painter(face)};
    });
}

void write_curves(const std::filesystem::path& path, const std::vector<Json>& log) {
    // Two colours that stay apart for colour-blind eyes, and dashes that stay apart in print.
    std::vector<Panel> panels{{"loss", curves_of("loss")}, {"accuracy", curves_of("accuracy"), 1}};
    const std::vector<std::string> terms = terms_of(log);
    if (terms.size() > 1)
        for (const std::string& term : terms) panels.push_back({term, curves_of("loss." + term)});
    const size_t rows = (panels.size() + 1) / 2;
    char head[300];
    std::snprintf(head, sizeof head,
                  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 820 %zu' font-family='sans-serif' "
                  "font-size='12'>\n<rect width='820' height='%zu' fill='white'/>\n",
                  rows * kPanelHeight, rows * kPanelHeight);
    std::string svg = head;
    for (size_t i = 0; i < panels.size(); ++i) {
        Panel& panel = panels[i];
        panel.x = i % 2 == 0 ? 50 : 450;
        const size_t row = i / 2;
        panel.y = static_cast<double>(row * kPanelHeight) + 40;
        if (panel.top == 0) panel.top = largest(log, panel.curves);
        svg += drawn(log, panel);
    }
    write_file_atomically(path, svg + "</svg>\n");
}

}  // namespace liven
