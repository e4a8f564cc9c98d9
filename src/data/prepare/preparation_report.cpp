#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

#include "liven/data/prepare.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson json_of_histograms(const std::vector<QualityHistogram>& histograms) {
    OrderedJson out = OrderedJson::object();
    for (const QualityHistogram& h : histograms) out[h.part] = {{"bonafide", h.bonafide}, {"attack", h.attack}};
    return out;
}

std::string counted_words(const std::map<std::string, int64_t>& counts) {
    std::string out;
    for (const auto& [name, count] : counts)
        out += (out.empty() ? "" : ", ") + (name.empty() ? "unnamed" : name) + ' ' + thousands(count);
    return out;
}

void print_some(std::ostream& out, const char* what, const std::vector<std::string>& lines) {
    constexpr size_t shown = 10;
    if (lines.empty()) return;
    out << what << "  " << thousands(static_cast<long long>(lines.size())) << '\n';
    for (size_t i = 0; i < std::min(lines.size(), shown); ++i) out << "  " << lines[i] << '\n';
    if (lines.size() > shown) out << "  and " << thousands(static_cast<long long>(lines.size() - shown)) << " more\n";
}

}  // namespace

std::string PreparationReport::to_json() const {
    OrderedJson json{
        {"fingerprint", fingerprint}, {"options", OrderedJson::parse(options, nullptr, false)}, {"written", written}};
    json["stages"] = OrderedJson::array();
    for (const StageCount& s : stages)
        json["stages"].push_back({{"stage", s.stage},
                                  {"samples", s.classes.total()},
                                  {"bonafide", s.classes.bonafide},
                                  {"attack", s.classes.attack},
                                  {"attack_types", s.attack_types},
                                  {"left_out", s.left_out}});
    json["quality_bins"] = 20;
    json["quality_before"] = json_of_histograms(before);
    json["quality_after"] = json_of_histograms(after);
    json["skipped"] = skipped;
    json["warnings"] = warnings;
    return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::ostream& operator<<(std::ostream& out, const PreparationReport& report) {
    const auto cell = [&](const std::string& text, int width) { out << std::right << std::setw(width) << text; };
    out << std::left << std::setw(14) << "stage";
    for (const char* title : {"samples", "bona fide", "attacks"}) cell(title, 12);
    out << '\n';
    for (const StageCount& s : report.stages) {
        out << std::left << std::setw(14) << s.stage;
        for (const int64_t count : {s.classes.total(), s.classes.bonafide, s.classes.attack})
            cell(thousands(count), 12);
        if (!s.attack_types.empty()) out << "   " << counted_words(s.attack_types);
        out << '\n';
        if (!s.left_out.empty()) out << "              left out: " << counted_words(s.left_out) << '\n';
    }
    print_some(out, "warnings", report.warnings);
    print_some(out, "skipped ", report.skipped);
    return out;
}

}  // namespace liven::data
