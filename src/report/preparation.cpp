#include "liven/report/preparation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "liven/core/error.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/sheet.hpp"
#include "liven/io/json.hpp"
#include "liven/report/chart.hpp"
#include "liven/report/page.hpp"

namespace liven::report {
namespace {

using data::PreparationReport;

std::string type_name(const std::string& type) { return type.empty() ? "unnamed" : type; }

std::string count_text(int64_t count) { return fmt::format("{}", count); }

std::set<std::string> types_in(const PreparationReport& report) {
    std::set<std::string> types;
    for (const data::StageCount& s : report.stages)
        for (const auto& [type, count] : s.attack_types) types.insert(type);
    return types;
}

int64_t of_type(const data::StageCount& s, const std::string& type) {
    const auto it = s.attack_types.find(type);
    return it == s.attack_types.end() ? 0 : it->second;
}

void add_stages(Page& page, const PreparationReport& report) {
    page.section("Samples by stage");
    BarChart chart{.title = "Samples left by each stage", .y = {.title = "samples"}, .categories = {}, .series = {}};
    chart.series = {{.name = "bona fide", .bars = {}}, {.name = "attack", .bars = {}}};
    Table table{.columns = {"stage", "samples", "bona fide", "attacks", "bona fide, %"}, .rows = {}};
    const std::set<std::string> types = types_in(report);
    for (const std::string& type : types) table.columns.push_back(type_name(type));
    for (const data::StageCount& s : report.stages) {
        chart.categories.push_back(s.stage);
        chart.series[0].bars.push_back({.value = static_cast<double>(s.classes.bonafide)});
        chart.series[1].bars.push_back({.value = static_cast<double>(s.classes.attack)});
        std::vector<std::string> row{
            s.stage, count_text(s.classes.total()), count_text(s.classes.bonafide), count_text(s.classes.attack),
            s.classes.total() == 0 ? "-"
                                   : fmt::format("{:.1f}", 100.0 * static_cast<double>(s.classes.bonafide) /
                                                               static_cast<double>(s.classes.total()))};
        for (const std::string& type : types) row.push_back(count_text(of_type(s, type)));
        table.rows.push_back(std::move(row));
    }
    page.figure(svg(chart));
    page.text("A recording counts once where it is listed, then each of its frames.");
    page.table(table);
}

void add_attacks(Page& page, const PreparationReport& report) {
    const std::set<std::string> types = types_in(report);
    if (types.size() < 2) return;
    // Frames after sampling, so that recordings do not look like a loss.
    const data::StageCount &first = report.stages[std::min<size_t>(1, report.stages.size() - 1)],
                           &last = report.stages.back();
    // Not in the colours of bona fide and attack, which stand beside.
    BarChart chart{.title = "Attack types before and after",
                   .y = {.title = "samples"},
                   .categories = {},
                   .series = {},
                   .first_look = 2};
    chart.series = {{.name = first.stage, .bars = {}}, {.name = "written", .bars = {}}};
    for (const std::string& type : types) {
        chart.categories.push_back(type_name(type));
        chart.series[0].bars.push_back({.value = static_cast<double>(of_type(first, type))});
        chart.series[1].bars.push_back({.value = static_cast<double>(of_type(last, type))});
    }
    page.figure(svg(chart));
}

void add_losses(Page& page, const PreparationReport& report) {
    Table table{.columns = {"left out by, and why", "samples"}, .rows = {}};
    for (const data::StageCount& s : report.stages)
        for (const auto& [reason, count] : s.left_out)
            table.rows.push_back({s.stage + ": " + reason, count_text(count)});
    if (!table.rows.empty()) page.table(table);
    for (const std::string& warning : report.warnings) page.note(warning);
    if (report.skipped.empty()) return;
    constexpr size_t shown = 200;
    page.fold(fmt::format("{} files that were passed over", report.skipped.size()));
    std::string lines;
    for (size_t i = 0; i < std::min(shown, report.skipped.size()); ++i) lines += report.skipped[i] + '\n';
    page.code(lines + (report.skipped.size() > shown ? "...\n" : ""));
    page.unfold();
}

Histogram chart_of(const data::QualityHistogram& histogram, const std::string& title, const std::vector<Rule>& rules) {
    Histogram out{.title = title,
                  .x = {.title = histogram.part == "total" ? "quality" : histogram.part},
                  .classes = {{"bona fide", histogram.bonafide}, {"attack", histogram.attack}},
                  .rules = rules};
    return out;
}

void add_quality(Page& page, const PreparationReport& report) {
    if (report.before.empty()) return;
    page.section("Quality");
    page.text(
        "Quality is 0.35 sharpness + 0.25 contrast + 0.20 brightness + 0.20 blur, each from 0 to 1, more is "
        "better (Kuznetsov et al. 2026). It is judged twice: on the face as it was found, which decides who stays, and "
        "on what was "
        "written. Bars are shares of the class.");
    std::vector<Rule> least;
    const Json options = Json::parse(report.options, "options");
    if (const Json* value = options.find("least_quality"); value != nullptr && value->is_number())
        least.push_back({.at = value->number(), .label = "least quality"});
    const auto add = [&](const std::vector<data::QualityHistogram>& histograms, const char* when, bool decides) {
        std::vector<std::string> charts;
        for (const data::QualityHistogram& h : histograms)
            charts.push_back(
                svg(chart_of(h, h.part + ", " + when, decides && h.part == "total" ? least : std::vector<Rule>{})));
        if (!charts.empty()) page.figures(charts);
    };
    add(report.before, "as found", true);
    page.text("After resizing and enhancement:");
    add(report.after, "as written", false);
}

/// The examples that stayed, as they were above what they became, or those that did not.
void add_sheet(Page& page, const PreparationReport& report, bool kept) {
    std::vector<data::SheetTile> above, below;
    for (const data::PreparedExample& e : report.examples) {
        if (e.prepared.empty() == kept) continue;
        try {
            data::SheetTile found{.picture = data::picture_of(e.sample)}, made{};
            found.lines = {fmt::format("{} {:.2f}", name_of(e.sample.label), e.quality)};
            if (kept) made = {.picture = data::decode(e.prepared), .lines = {"prepared"}};
            above.push_back(std::move(found));
            below.push_back(std::move(made));
        } catch (const Error&) {
            continue;  // it was there a moment ago
        }
    }
    if (above.empty()) return;
    data::Sheet sheet({.columns = static_cast<int>(above.size()), .side = 160});
    for (data::SheetTile& tile : above) sheet.add(std::move(tile));
    if (kept) {
        sheet.end_row();
        for (data::SheetTile& tile : below) sheet.add(std::move(tile));
    }
    page.picture(data::encode_jpeg(sheet.image(), 88),
                 kept ? "As found, with class and quality, and as written." : "Left out for their quality.");
}

}  // namespace

std::string preparation_page(const PreparationReport& report) {
    if (report.stages.empty()) throw Error("report", "there is nothing to tell: the preparation did nothing");
    Page page("Prepared data", fmt::format("{} pictures from {} that were listed", report.written,
                                           report.stages.front().classes.total()));
    add_stages(page, report);
    add_attacks(page, report);
    add_losses(page, report);
    add_quality(page, report);
    if (!report.examples.empty()) page.section("Faces");
    add_sheet(page, report, true);
    add_sheet(page, report, false);
    page.section("How it was made");
    page.text("All options that decide about the result; the same data and options give the same bytes.");
    page.code(report.options);
    return page.str();
}

}  // namespace liven::report
