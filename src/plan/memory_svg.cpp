#include <algorithm>
#include <iomanip>
#include <sstream>
#include <string_view>

#include "liven/graph/memory_map.hpp"
#include "src/core/markup.hpp"

// The arena as a picture: segments from left to right, offsets from below. Blue, orange and a hatched grey are told
// apart by colour-blind readers and on a grey print.

namespace liven {
namespace {

constexpr double kLeft = 84, kTop = 78, kHeight = 560, kBottom = 64, kRight = 24;
constexpr double kLabelHeight = 11;

// By MemoryMap::Block::Role.
constexpr std::string_view kClasses[] = {"kept", "forward", "backward", "workspace"};
constexpr std::string_view kNames[] = {"kept from run to run", "values of the forward pass", "of the backward pass",
                                       "workspaces"};

std::string in_mebibytes(int64_t bytes) {
    std::ostringstream out;
    const double value = static_cast<double>(bytes) / (1024.0 * 1024.0);
    out << std::fixed << std::setprecision(value < 1 ? 3 : 1) << value << " MiB";
    return out.str();
}

/// 1, 2, 5, 10, 20, ...: the first with at most `most` of it in `whole`.
double tick_step(double whole, double most) {
    double step = 1;
    for (int i = 0; whole / step > most; ++i) step *= i % 3 == 1 ? 2.5 : 2.0;
    return step;
}

class MemorySvg {
public:
    explicit MemorySvg(const MemoryMap& map) : map_(map), segments_(std::max<double>(1, double(map.live.size()))) {
        width_ = std::clamp(segments_ * 24.0, 720.0, 1600.0);
    }

    std::string str() {
        out_ << std::fixed << std::setprecision(2);
        head();
        axes();
        for (const MemoryMap::Block& block : map_.blocks) rectangle(block);
        levels();
        for (const MemoryMap::Block& block : map_.blocks) label(block);
        out_ << "</svg>\n";
        return out_.str();
    }

private:
    double x(double segment) const { return kLeft + segment / segments_ * width_; }
    double y(double bytes) const {
        return kTop + kHeight * (1 - bytes / std::max(1.0, static_cast<double>(map_.arena_bytes)));
    }

    void text(double left, double base, std::string_view content, std::string_view more = "") {
        out_ << "<text x=\"" << left << "\" y=\"" << base << '"' << more << '>' << escaped_markup(content)
             << "</text>\n";
    }
    void line(double x1, double y1, double x2, double y2, std::string_view style) {
        out_ << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" " << style
             << "/>\n";
    }

    void head() {
        const double width = kLeft + width_ + kRight, height = kTop + kHeight + kBottom;
        out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << height
             << "\" viewBox=\"0 0 " << width << ' ' << height
             << "\" style=\"max-width:100%;height:auto\" font-family=\"sans-serif\" font-size=\"12\">\n"
             << "<style>.forward{fill:#9ecae9}.backward{fill:#f2a65a}.workspace{fill:url(#hatch)}"
                ".kept{fill:#c8c8c8}.block{stroke:#333;stroke-width:.6}.block:hover{stroke-width:2.5}.label{font-size:"
                "10px;"
                "pointer-events:none}</style>\n"
             << "<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
                "<rect width=\"5\" height=\"5\" fill=\"#fff\"/><path d=\"M0,5 L5,0\" "
                "stroke=\"#777\"/></pattern></defs>\n"
             << "<rect class=\"paper\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
        text(kLeft, 24,
             "Arena of the plan: " + in_mebibytes(map_.arena_bytes) + ", largest live set " +
                 in_mebibytes(map_.lower_bound) + " in segment " + std::to_string(map_.peak_segment),
             " font-size=\"16\"");
        double left = kLeft;
        const auto legend = [&](std::string_view kind, std::string_view name) {
            out_ << "<rect class=\"key " << kind << "\" x=\"" << left << "\" y=\"38\" width=\"14\" height=\"14\" "
                 << "stroke=\"#333\" stroke-width=\".6\"/>\n";
            text(left + 20, 50, name);
            left += 40 + 7.0 * static_cast<double>(name.size());
        };
        for (size_t role = 0; role < std::size(kClasses); ++role) {
            const auto has_role = [&](const auto& block) { return static_cast<size_t>(block.role()) == role; };
            if (std::any_of(map_.blocks.begin(), map_.blocks.end(), has_role)) legend(kClasses[role], kNames[role]);
        }
    }

    void axes() {
        const double mebibyte = 1024.0 * 1024.0, arena = static_cast<double>(map_.arena_bytes);
        const double unit = arena >= mebibyte ? mebibyte : 1024.0;
        const double step = tick_step(arena / unit, 10);
        for (double tick = 0; tick * unit <= arena; tick += step) {
            line(kLeft, y(tick * unit), kLeft + width_, y(tick * unit), "stroke=\"#ddd\"");
            text(kLeft - 8, y(tick * unit) + 4, std::to_string(static_cast<int64_t>(tick)), " text-anchor=\"end\"");
        }
        text(kLeft - 8, kTop - 10, unit == mebibyte ? "MiB" : "KiB", " text-anchor=\"end\"");
        const double every = tick_step(segments_, 40);
        for (double s = 0; s < segments_; s += every)
            text(x(s + 0.5), kTop + kHeight + 18, std::to_string(static_cast<int64_t>(s)), " text-anchor=\"middle\"");
        text(kLeft + width_ / 2, kTop + kHeight + 44, "segment (time runs to the right)", " text-anchor=\"middle\"");
        line(kLeft, kTop + kHeight, kLeft + width_, kTop + kHeight, "stroke=\"#333\"");
    }

    void rectangle(const MemoryMap::Block& block) {
        const double left = x(static_cast<double>(block.first)), right = x(static_cast<double>(block.last) + 1);
        const double top = y(static_cast<double>(block.offset + block.bytes)),
                     base = y(static_cast<double>(block.offset));
        out_ << "<rect class=\"block " << kClasses[static_cast<size_t>(block.role())] << "\" x=\"" << left << "\" y=\""
             << top << "\" width=\"" << right - left << "\" height=\"" << base - top << "\"><title>"
             << escaped_markup(block.str()) << "\n"
             << in_mebibytes(block.bytes) << " at " << in_mebibytes(block.offset) << ", segments " << block.first
             << " to " << block.last << "</title></rect>\n";
    }

    /// Its name where there is room, or as much of it as there is room for: hovering tells the rest.
    void label(const MemoryMap::Block& block) {
        const double left = x(static_cast<double>(block.first)), right = x(static_cast<double>(block.last) + 1);
        const double top = y(static_cast<double>(block.offset + block.bytes)),
                     base = y(static_cast<double>(block.offset));
        const std::string name = block.scope.empty() ? block.op : block.scope + ": " + block.op;
        const double letters = (right - left - 8) / 5.6;
        if (base - top < kLabelHeight || letters < 4) return;
        const auto fits = [&](const std::string& words) { return static_cast<double>(words.size()) <= letters; };
        const std::string shown = fits(name)       ? name
                                  : fits(block.op) ? block.op
                                                   : block.op.substr(0, static_cast<size_t>(letters) - 1) + "…";
        text(left + 4, (top + base) / 2 + 4, shown, " class=\"label\"");
    }

    /// The largest live set as a height, and the segment it is in.
    void levels() {
        const double peak = static_cast<double>(map_.peak_segment), bound = y(static_cast<double>(map_.lower_bound));
        line(kLeft, bound, kLeft + width_, bound, "stroke=\"#000\" stroke-width=\"1.5\" stroke-dasharray=\"7 4\"");
        out_ << "<rect x=\"" << x(peak) << "\" y=\"" << kTop << "\" width=\"" << x(peak + 1) - x(peak) << "\" height=\""
             << kHeight << "\" fill=\"none\" stroke=\"#000\" stroke-width=\"1.5\" stroke-dasharray=\"2 3\" "
             << "pointer-events=\"none\"/>\n";
        text(kLeft + width_, kTop - 10, "dashed: the largest live set, and its segment", " text-anchor=\"end\"");
    }

    const MemoryMap& map_;
    double segments_, width_ = 0;
    std::ostringstream out_;
};

}  // namespace

std::string MemoryMap::svg() const { return MemorySvg(*this).str(); }

}  // namespace liven
