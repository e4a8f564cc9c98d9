#include "liven/data/manifest.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/csv.hpp"
#include "src/data/text.hpp"
#include "src/data/whole_file.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

constexpr std::array<const char*, 15> columns{"path",        "label",      "subject",   "video",     "frame",
                                              "attack_type", "dataset",    "split",     "box",       "target",
                                              "modality",    "depth_path", "mask_path", "landmarks", "quality"};

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

class ManifestParser {
public:
    ManifestParser(std::string_view text, fs::path folder, const std::string& name)
        : csv_(text, name), folder_(std::move(folder)), name_(name) {}

    Dataset run() {
        std::vector<std::string> fields;
        if (!csv_.next(fields))
            throw Error(name_, "the manifest is empty", "its first line names the columns: path,label,...");
        read_header(fields);
        while (csv_.next(fields)) {
            if (fields.size() != width_)
                csv_.fail("expected " + std::to_string(width_) + " fields, but there are " +
                          std::to_string(fields.size()));
            add(fields);
        }
        if (out_.samples.empty()) throw Error(name_, "the manifest has no rows");
        return std::move(out_);
    }

private:
    void read_header(const std::vector<std::string>& fields) {
        width_ = fields.size();
        position_.fill(-1);
        std::string unknown;
        for (size_t i = 0; i < fields.size(); ++i) {
            const std::string word = lower(trimmed(fields[i]));
            size_t c = 0;
            while (c < columns.size() && word != columns[c]) ++c;
            if (c == columns.size()) {
                unknown += (unknown.empty() ? "" : ", ") + in_quotes(word);
                continue;
            }
            if (position_[c] >= 0) csv_.fail(std::string("the column ") + columns[c] + " is there twice");
            position_[c] = static_cast<int>(i);
        }
        for (size_t c : {size_t{0}, size_t{1}})
            if (position_[c] < 0)
                csv_.fail(std::string("the column ") + columns[c] + " is missing",
                          "the first line names the columns: path,label,...");
        if (!unknown.empty())
            out_.warnings.push_back(name_ + ": columns that mean nothing here are passed over: " + unknown);
    }

    std::string_view field(const std::vector<std::string>& fields, size_t column) const {
        return position_[column] < 0 ? std::string_view{} : trimmed(fields[static_cast<size_t>(position_[column])]);
    }

    fs::path resolve(std::string_view text) const { return text.empty() ? fs::path{} : folder_ / fs::path(text); }

    void add(const std::vector<std::string>& fields) {
        Sample s;
        const auto text = [&](size_t column) { return std::string(field(fields, column)); };
        if (field(fields, 0).empty()) csv_.fail("the path is empty");
        s.path = resolve(field(fields, 0));
        const auto label = label_from(field(fields, 1));
        if (!label)
            csv_.fail("expected the label bonafide or attack, but got " + in_quotes(field(fields, 1)),
                      "numbers are not read: they mean different things in different sets");
        s.label = *label;
        s.subject = text(2);
        s.video = text(3);
        s.frame = frame_from(field(fields, 4));
        s.attack_type = text(5);
        s.dataset = text(6);
        s.split = split_of(field(fields, 7));
        s.box = box_from(field(fields, 8));
        s.target = text(9);
        s.modality = text(10);
        s.depth_path = resolve(field(fields, 11)).string();
        s.mask_path = resolve(field(fields, 12)).string();
        s.landmarks = landmarks_from(field(fields, 13));
        s.quality = quality_from(field(fields, 14));
        refuse_twice(s, text(8));
        out_.samples.push_back(std::move(s));
    }

    void refuse_twice(const Sample& s, const std::string& box) {
        // The same picture with another box is another face, another frame of a video another picture.
        const std::string frame = is_video(s.path) ? std::to_string(s.frame) : std::string();
        const auto [it, fresh] =
            seen_.try_emplace(s.path.lexically_normal().string() + '\n' + box + '\n' + frame, csv_.line());
        if (!fresh) csv_.fail(in_quotes(s.path.string()) + " is listed already in line " + std::to_string(it->second));
    }

    int64_t frame_from(std::string_view text) const {
        if (text.empty()) return -1;
        int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < 0)
            csv_.fail("expected a frame number, but got " + in_quotes(text));
        return value;
    }

    Split split_of(std::string_view text) const {
        if (text.empty()) return Split::none;
        const auto split = split_from(text);
        if (!split) csv_.fail("expected the split train, val or test, but got " + in_quotes(text));
        return *split;
    }

    /// Up to ten finite numbers between blanks; nothing when the text is something else.
    static std::vector<float> numbers_in(std::string_view text) {
        std::vector<float> out;
        for (std::string_view rest = text; !rest.empty(); rest = trimmed(rest)) {
            float value = 0;
            const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
            const auto used = static_cast<size_t>(end - rest.data());
            const bool separate =
                used == rest.size() || (used < rest.size() && (rest[used] == ' ' || rest[used] == '\t'));
            if (error != std::errc() || !separate || !std::isfinite(value) || out.size() == 10) return {};
            out.push_back(value);
            rest.remove_prefix(used);
        }
        return out;
    }

    std::optional<Box> box_from(std::string_view text) const {
        if (text.empty()) return {};
        const std::vector<float> v = numbers_in(text);
        if (v.size() != 4 || !(v[2] > 0) || !(v[3] > 0))
            csv_.fail("expected the box as \"x y width height\", not of size 0, but got " + in_quotes(text));
        return Box{v[0], v[1], v[2], v[3]};
    }

    std::vector<Point> landmarks_from(std::string_view text) const {
        if (text.empty()) return {};
        const std::vector<float> v = numbers_in(text);
        if (v.size() != 4 && v.size() != 10)
            csv_.fail("expected the landmarks as \"x y x y\" of the eyes, or five such pairs, but got " +
                      in_quotes(text));
        std::vector<Point> out;
        for (size_t i = 0; i < v.size(); i += 2) out.push_back({v[i], v[i + 1]});
        return out;
    }

    std::optional<double> quality_from(std::string_view text) const {
        if (text.empty()) return {};
        const std::vector<float> v = numbers_in(text);
        if (v.size() != 1 || v[0] < 0 || v[0] > 1)
            csv_.fail("expected a quality from 0 to 1, but got " + in_quotes(text));
        return v[0];
    }

    CsvReader csv_;
    fs::path folder_;
    std::string name_;
    Dataset out_;
    size_t width_ = 0;
    std::array<int, columns.size()> position_{};
    std::unordered_map<std::string, int64_t> seen_;
};

std::string relative_text(const fs::path& path, const fs::path& folder) {
    if (path.empty()) return {};
    const fs::path relative = path.lexically_relative(folder);
    const bool inside = !relative.empty() && *relative.begin() != "..";
    return (inside ? relative : fs::absolute(path)).generic_string();
}

std::string row_of(const Sample& s, const fs::path& folder) {
    std::string box;
    if (s.box)
        box = number(s.box->x) + ' ' + number(s.box->y) + ' ' + number(s.box->width) + ' ' + number(s.box->height);
    std::string landmarks;
    for (const Point& p : s.landmarks) landmarks += (landmarks.empty() ? "" : " ") + number(p.x) + ' ' + number(p.y);
    const std::array<std::string, columns.size()> fields{relative_text(s.path, folder),
                                                         std::string(name_of(s.label)),
                                                         s.subject,
                                                         s.video,
                                                         s.frame < 0 ? std::string() : std::to_string(s.frame),
                                                         s.attack_type,
                                                         s.dataset,
                                                         std::string(name_of(s.split)),
                                                         box,
                                                         s.target,
                                                         s.modality,
                                                         relative_text(s.depth_path, folder),
                                                         relative_text(s.mask_path, folder),
                                                         landmarks,
                                                         s.quality ? number(*s.quality) : std::string()};
    std::string row;
    for (size_t i = 0; i < fields.size(); ++i) row += (i ? "," : "") + csv_field(fields[i]);
    return row + '\n';
}

}  // namespace

Dataset parse_manifest(std::string_view text, const fs::path& folder, const std::string& name) {
    return ManifestParser(text, folder, name).run();
}

Dataset read_manifest(const fs::path& path) {
    const std::vector<uint8_t> bytes = read_file(path);
    Dataset out =
        parse_manifest({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.parent_path(), path.string());
    const fs::path full = fs::absolute(path).lexically_normal();
    out.name = path.filename() == "manifest.csv" ? full.parent_path().filename().string() : path.stem().string();
    return out;
}

void write_manifest(const Dataset& dataset, const fs::path& path) {
    const fs::path folder = path.parent_path();
    std::string text;
    for (size_t i = 0; i < columns.size(); ++i) text += (i ? "," : "") + std::string(columns[i]);
    text += '\n';
    for (const Sample& s : dataset.samples) text += row_of(s, folder);
    write_whole(path, text);
}

}  // namespace liven::data
