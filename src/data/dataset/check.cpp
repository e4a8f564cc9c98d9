#include "liven/data/check.hpp"

#include <algorithm>
#include <iomanip>
#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <unordered_map>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/parallel.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

/// FNV-1a over eight bytes at a time with a final mix: finds candidates, which are then compared byte by byte.
uint64_t hash_of(const std::vector<uint8_t>& bytes) {
    uint64_t h = 0xcbf29ce484222325u ^ bytes.size();
    size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8; ++k) word |= uint64_t{bytes[i + k]} << (8 * k);
        h = (h ^ word) * 0x100000001b3u;
        h ^= h >> 29;
    }
    for (; i < bytes.size(); ++i) h = (h ^ bytes[i]) * 0x100000001b3u;
    return h ^ (h >> 32);
}

/// What one file turned out to be.
struct Finding {
    std::string reason;  ///< empty: readable
    std::string size;
    uint64_t hash = 0;
    int64_t bytes = 0;
};

std::string size_of(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

/// A video's first and middle frame stand for all: reading every one takes as long as watching it.
Finding look_at_video(const std::filesystem::path& path) {
    Finding f;
    const VideoInfo info = inspect_video(path);
    const std::vector<int64_t> frames{0, info.frames / 2};
    const Image first = read_frames(path, frames)[0];
    f.size = size_of(first.width, first.height);
    f.bytes = static_cast<int64_t>(std::filesystem::file_size(path));
    if (f.bytes <= max_file_bytes) f.hash = hash_of(read_file(path));
    return f;
}

Finding look_at(const Sample& sample) {
    Finding f;
    try {
        if (is_video(sample.path)) return look_at_video(sample.path);
        const std::vector<uint8_t> bytes = read_file(sample.path);
        f.bytes = static_cast<int64_t>(bytes.size());
        f.hash = hash_of(bytes);
        const Image image = decode(bytes, sample.path.string());
        f.size = size_of(image.width, image.height);
        if (sample.box) crop(image, *sample.box);
    } catch (const Error& error) {
        f.reason = error.what();
        const std::string prefix = error.where() + ": ";
        if (f.reason.rfind(prefix, 0) == 0) f.reason.erase(0, prefix.size());
    }
    return f;
}

void count_samples(const Dataset& dataset, CheckReport& report) {
    const auto count = [](ClassCounts& c, Label label) { ++(label == Label::bonafide ? c.bonafide : c.attack); };
    for (const Sample& s : dataset.samples) {
        count(report.classes, s.label);
        if (!s.subject.empty()) count(report.subjects[s.subject], s.label);
        if (!s.video.empty()) count(report.videos[s.subject.empty() ? s.video : s.subject + ", " + s.video], s.label);
        if (!s.dataset.empty()) count(report.datasets[s.dataset], s.label);
        count(report.splits[s.split == Split::none ? "(none)" : std::string(name_of(s.split))], s.label);
        if (s.label == Label::attack) ++report.attack_types[s.attack_type.empty() ? "(unknown)" : s.attack_type];
    }
}

/// Samples with equal bytes among those with equal hash. The same path twice (two faces in one picture) is no
/// duplicate.
void find_duplicates(const Dataset& dataset, const std::vector<Finding>& findings, CheckReport& report) {
    std::map<std::pair<uint64_t, int64_t>, std::vector<size_t>> candidates;
    for (size_t i = 0; i < findings.size(); ++i)
        if (findings[i].bytes > 0) candidates[{findings[i].hash, findings[i].bytes}].push_back(i);
    for (const auto& [key, indices] : candidates) {
        if (indices.size() < 2) continue;
        std::map<std::string, std::vector<size_t>> by_content;
        for (size_t i : indices) try {
                const std::vector<uint8_t> bytes = read_file(dataset.samples[i].path);
                by_content[std::string(bytes.begin(), bytes.end())].push_back(i);
            } catch (const Error&) {
                continue;  // gone since it was hashed
            }
        for (const auto& [content, same] : by_content) {
            Duplicates d;
            std::set<std::string> paths;
            for (size_t i : same) {
                paths.insert(dataset.samples[i].path.string());
                d.labels_differ = d.labels_differ || dataset.samples[i].label != dataset.samples[same[0]].label;
                d.splits_differ = d.splits_differ || dataset.samples[i].split != dataset.samples[same[0]].split;
            }
            d.paths.assign(paths.begin(), paths.end());
            if (d.paths.size() > 1) report.duplicates.push_back(std::move(d));
        }
    }
    std::sort(report.duplicates.begin(), report.duplicates.end(),
              [](const Duplicates& a, const Duplicates& b) { return a.paths < b.paths; });
}

nlohmann::ordered_json json_of(const std::map<std::string, ClassCounts>& counts) {
    nlohmann::ordered_json out = nlohmann::ordered_json::object();
    for (const auto& [name, c] : counts) out[name] = {{"bonafide", c.bonafide}, {"attack", c.attack}};
    return out;
}

/// The lines of the printed report.
class Printer {
public:
    explicit Printer(std::ostream& out) : out_(out) {}

    void run(const CheckReport& r) {
        row("samples", thousands(r.samples) + " (" + thousands(r.classes.bonafide) + " bona fide, " +
                           thousands(r.classes.attack) + " attack), " + thousands(r.bytes / 1'000'000) + " MB");
        classes("data sets", r.datasets);
        classes("splits", r.splits);
        numbers("attack types", r.attack_types);
        groups("subjects", r.subjects);
        groups("videos", r.videos);
        numbers("sizes", r.sizes);
        row("unreadable", thousands(static_cast<long long>(r.broken.size())));
        list(r.broken, [](const BrokenFile& b) { return b.str(); });
        row("exact duplicates", thousands(static_cast<long long>(r.duplicates.size())) + " groups");
        list(r.duplicates, [](const Duplicates& d) {
            std::string text;
            for (const std::string& path : d.paths) text += (text.empty() ? "" : " = ") + path;
            return text + (d.labels_differ ? "  LABELS DIFFER" : "") + (d.splits_differ ? "  ACROSS SPLITS" : "");
        });
        row("groups across splits", thousands(static_cast<long long>(r.leaks.size())));
        list(r.leaks, [](const Leak& l) {
            return l.group + ": train " + thousands(l.train) + ", val " + thousands(l.val) + ", test " +
                   thousands(l.test);
        });
        row("no pictures", thousands(static_cast<long long>(r.skipped.size())) + " files passed over");
        list(r.skipped, [](const std::string& s) { return s; });
        for (const std::string& w : r.warnings) row("warning", w);
        row("verdict", r.clean() ? "clean" : "needs attention");
    }

private:
    static constexpr size_t shown = 20;

    void row(const char* name, const std::string& text) { out_ << std::left << std::setw(22) << name << text << '\n'; }
    template <class List, class Text>
    void list(const List& items, Text text) {
        for (size_t i = 0; i < std::min(items.size(), shown); ++i) out_ << "    " << text(items[i]) << '\n';
        if (items.size() > shown)
            out_ << "    and " << thousands(static_cast<long long>(items.size() - shown)) << " more (all in --json)\n";
    }
    void classes(const char* name, const std::map<std::string, ClassCounts>& counts) {
        std::string text;
        for (const auto& [key, c] : counts)
            text += (text.empty() ? "" : "; ") + key + " " + thousands(c.bonafide) + " + " + thousands(c.attack);
        if (!counts.empty()) row(name, text);
    }
    void numbers(const char* name, const std::map<std::string, int64_t>& counts) {
        std::vector<std::pair<std::string, int64_t>> order(counts.begin(), counts.end());
        std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
        std::string text;
        for (size_t i = 0; i < std::min(order.size(), size_t{8}); ++i)
            text += (i ? ", " : "") + order[i].first + " " + thousands(order[i].second);
        if (order.size() > 8) text += ", and " + thousands(static_cast<long long>(order.size() - 8)) + " more kinds";
        if (!order.empty()) row(name, text);
    }
    void groups(const char* name, const std::map<std::string, ClassCounts>& counts) {
        if (counts.empty()) return row(name, "none given");
        int64_t least = counts.begin()->second.total(), most = least, one_class = 0;
        for (const auto& [key, c] : counts) {
            least = std::min(least, c.total());
            most = std::max(most, c.total());
            one_class += c.bonafide == 0 || c.attack == 0;
        }
        row(name, thousands(static_cast<long long>(counts.size())) + ", with " + thousands(least) + " to " +
                      thousands(most) + " pictures; " + thousands(one_class) + " of one class only");
    }

    std::ostream& out_;
};

}  // namespace

CheckReport check(const Dataset& dataset, const CheckOptions& options) {
    CheckReport report;
    report.name = dataset.name;
    report.samples = dataset.size();
    report.skipped = dataset.skipped;
    report.warnings = dataset.warnings;
    count_samples(dataset, report);
    std::vector<Finding> findings(dataset.samples.size());
    parallel_for(
        dataset.size(), options.threads,
        [&](int64_t i) { findings[static_cast<size_t>(i)] = look_at(dataset.samples[static_cast<size_t>(i)]); },
        options.progress);
    for (size_t i = 0; i < findings.size(); ++i) {
        report.bytes += findings[i].bytes;
        if (findings[i].reason.empty())
            ++report.sizes[findings[i].size];
        else
            report.broken.push_back({dataset.samples[i].path.string(), findings[i].reason});
    }
    find_duplicates(dataset, findings, report);
    if (dataset.count(Split::none) < dataset.size()) report.leaks = find_leaks(dataset);
    return report;
}

bool CheckReport::clean() const {
    const bool bad_duplicate = std::any_of(duplicates.begin(), duplicates.end(),
                                           [](const Duplicates& d) { return d.labels_differ || d.splits_differ; });
    return broken.empty() && leaks.empty() && !bad_duplicate && classes.bonafide > 0 && classes.attack > 0;
}

std::string CheckReport::to_json() const {
    nlohmann::ordered_json json{{"name", name},
                                {"samples", samples},
                                {"bytes", bytes},
                                {"classes", {{"bonafide", classes.bonafide}, {"attack", classes.attack}}},
                                {"datasets", json_of(datasets)},
                                {"splits", json_of(splits)},
                                {"attack_types", attack_types},
                                {"subjects", json_of(subjects)},
                                {"videos", json_of(videos)},
                                {"sizes", sizes},
                                {"skipped", skipped},
                                {"warnings", warnings},
                                {"clean", clean()}};
    auto& broken_list = json["unreadable"] = nlohmann::ordered_json::array();
    for (const BrokenFile& b : broken) broken_list.push_back({{"path", b.path}, {"reason", b.reason}});
    auto& same = json["duplicates"] = nlohmann::ordered_json::array();
    for (const Duplicates& d : duplicates)
        same.push_back({{"paths", d.paths}, {"labels_differ", d.labels_differ}, {"splits_differ", d.splits_differ}});
    auto& across = json["leaks"] = nlohmann::ordered_json::array();
    for (const Leak& l : leaks)
        across.push_back({{"group", l.group}, {"train", l.train}, {"val", l.val}, {"test", l.test}});
    // File names are bytes; what is no UTF-8 in them is shown as the replacement mark.
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::ostream& operator<<(std::ostream& out, const CheckReport& report) {
    Printer(out).run(report);
    return out;
}

}  // namespace liven::data
