#include "liven/protocol/page.hpp"

#include <algorithm>
#include <set>

#include "cell_files.hpp"
#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "liven/report/set_charts.hpp"
#include "src/io/shell.hpp"
#include "src/train/folder_names.hpp"
#include "src/train/report_parts.hpp"
#include "src/train/run_folder.hpp"
#include "table_parts.hpp"

namespace liven::protocol {
namespace {

/// Every test of a model that was trained on one set.
report::SetTests tests_of(const Results& results) {
    report::SetTests tests;
    for (const std::string& model : results.settings().models) tests.models.push_back(title_of(model));
    for (const Source& source : results.sources(SourceKind::set)) tests.sources.push_back(source.name);
    for (const NamedData& target : results.settings().data) tests.targets.push_back(target.name);
    for (const Cell& cell : results.plan().cells) {
        if (cell.source.kind != SourceKind::set) continue;
        for (const Target& target : cell.targets) {
            const Judged& judged = results.judged(cell, target.name);
            tests.tests.push_back({.model = title_of(cell.model),
                                   .source = cell.source.name,
                                   .target = target.name,
                                   .within = target.name == cell.source.name,
                                   .measures = {.accuracy = judged.accuracy,
                                                .f1 = judged.f1,
                                                .roc_auc = judged.roc_auc,
                                                .acer = judged.acer,
                                                .eer = judged.eer}});
        }
    }
    return tests;
}

/// One line a model: the mean over its trainings at each epoch.
report::Series epochs_of(const Results& results, const std::string& model, double EpochFacts::*fact) {
    std::map<int64_t, std::vector<double>> by_epoch;
    for (const Cell& cell : results.plan().cells)
        if (const CellResult* result = cell.model == model ? results.result(cell) : nullptr)
            for (const EpochFacts& epoch : result->epochs) by_epoch[epoch.epoch].push_back(epoch.*fact);
    report::Series series{.name = title_of(model), .points = {}, .marked = by_epoch.size() <= report::most_marks};
    for (const auto& [epoch, values] : by_epoch) {
        double sum = 0;
        for (const double value : values) sum += value;
        series.points.push_back({.x = static_cast<double>(epoch), .y = sum / static_cast<double>(values.size())});
    }
    return series;
}

void add_cost(report::Page& page, const Results& results, const std::string& name) {
    std::vector<std::string> charts;
    const std::pair<const char*, double EpochFacts::*> facts[] = {{"seconds an epoch", &EpochFacts::seconds},
                                                                  {"resident memory, MB", &EpochFacts::megabytes}};
    for (const auto& [title, fact] : facts) {
        std::vector<report::Series> lines;
        for (const std::string& model : results.settings().models)
            if (report::Series series = epochs_of(results, model, fact); !series.points.empty())
                lines.push_back(std::move(series));
        report::LineChart chart = report::epoch_chart(title, std::move(lines));
        chart.y.low = 0.0;
        if (!chart.series.empty()) charts.push_back(svg(chart));
    }
    if (charts.empty()) return;
    page.section(name + "Seconds and memory");
    page.text(
        "Means over the trainings of each model at each epoch, as figure 11 of Kuznetsov et al. 2026. Trainings that "
        "ran beside each other shared the cores; the first epoch also reads the pictures.");
    page.figures(charts);
}

/// "0.525 ± 0.177" in two lines, where a table has many columns.
std::string broken_figure(std::string text) {
    const size_t at = text.find(" ± ");
    if (at != std::string::npos) text[at] = '\n';
    return text;
}

report::Table as_page_table(const ResultTable& table) {
    constexpr size_t many = 8;
    const bool published = table.has_published();
    report::Table out{.columns = table.columns, .rows = {}};
    if (published) out.columns.emplace_back("figures");
    for (const ResultTable::Row& row : table.rows) {
        if (row.published) out.quoted.push_back(out.rows.size());
        out.rows.emplace_back();
        for (const TableCell& cell : row.cells)
            out.rows.back().push_back(table.columns.size() > many ? broken_figure(cell.text) : cell.text);
        if (published) out.rows.back().emplace_back(row.published ? "published" : "measured");
    }
    return out;
}

void add_table(report::Page& page, const ResultTable& table) {
    page.fold(table.title);
    if (!table.positive.empty()) page.text("Positive class: " + table.positive + ".");
    if (!table.rows.empty()) page.table(as_page_table(table));
    for (const std::string& note : table.notes) {
        const bool heed =
            note.find("contradict") != std::string::npos || note.find("not comparable") != std::string::npos;
        heed ? page.note(note) : page.text(note);
    }
    page.unfold();
}

/// What its trainings computed in, each once.
std::string environments_of(const Plan& plan) {
    std::set<std::string> lines;
    for (const Cell& cell : plan.cells)
        for (const std::string& line : RunFolder(CellFiles(plan.folder(cell)).run()).environments()) lines.insert(line);
    std::string all;
    for (const std::string& line : lines) all += (all.empty() ? "" : "; ") + line;
    return all.empty() ? "an environment that was not recorded" : all;
}

void add_how(report::Page& page, const Plan& plan, const std::string& name) {
    page.section(name + "How it was made");
    const std::filesystem::path settings = plan.out / "protocol.toml";
    page.code("liven protocol --config " + shell_quoted(settings.string()) + " --out ANOTHER_FOLDER");
    page.text("Trained with " + environments_of(plan) + ".");
    page.fold("Settings of the protocol").code(read_text_file(settings)).unfold();
}

/// All about one protocol; `name` begins every heading.
void add_protocol(report::Page& page, const Results& results, const TableReport& report, const std::string& name) {
    const Plan& plan = results.plan();
    const auto finished = std::count_if(plan.cells.begin(), plan.cells.end(),
                                        [&](const Cell& cell) { return results.result(cell) != nullptr; });
    const auto open = static_cast<int64_t>(plan.cells.size()) - finished;
    if (open > 0)
        page.note(name + std::to_string(open) + " of " + std::to_string(plan.cells.size()) +
                  " trainings are not finished: figures that need them are undefined.");
    const report::SetTests tests = tests_of(results);
    if (results.settings().questions.cross) {
        page.section(name + "Across data sets");
        add_heat_maps(page, tests);
    }
    if (!tests.tests.empty()) {
        page.section(name + "Models beside each other");
        add_radar(page, tests);
    }
    add_cost(page, results, name);
    page.section(name + "Tables");
    for (const ResultTable& table : report.tables) add_table(page, table);
    page.section(name + "What differs from the published protocols");
    for (const std::string& each : report.differences) page.text(each);
    add_how(page, plan, name);
}

}  // namespace

std::string protocol_page(const ProtocolSettings& settings, const Plan& plan, const TableReport& report) {
    report::Page page("Liveness detection across data sets",
                      "Models trained on some data sets and tested on others, thresholds from validation samples of "
                      "what they were trained on.");
    add_protocol(page, Results(settings, plan), report, "");
    reporting::add_command(page, {&plan.out, 1});
    return page.str();
}

std::string report_page(std::span<const std::filesystem::path> folders, const ReportOptions& options) {
    const std::vector<std::string> names = names_of(folders);
    std::vector<std::filesystem::path> runs;
    std::string title;
    for (size_t i = 0; i < folders.size(); ++i) {
        title += (i == 0 ? "Liveness detection: " : ", ") + names[i];
        if (has_plan(folders[i])) continue;
        if (!std::filesystem::is_regular_file(folders[i]) && !std::filesystem::exists(RunFolder(folders[i]).config()))
            throw Error(folders[i].string(), "there is neither a training nor a protocol here",
                        "name a folder given to --out of liven train or liven protocol, or a file of scores");
        runs.push_back(folders[i]);
    }
    if (runs.size() == folders.size()) return html_report(runs, options);
    if (folders.size() == 1 && options.title.empty()) {
        const ProtocolSettings settings = read_settings(folders[0]);
        const Plan plan = read_plan(folders[0]);
        return protocol_page(settings, plan, make_tables(settings, plan));
    }
    report::Page page(options.title.empty() ? title : options.title, report_subtitle);
    if (!runs.empty()) add_runs(page, runs, options);
    for (size_t i = 0; i < folders.size(); ++i) {
        if (!has_plan(folders[i])) continue;
        const ProtocolSettings settings = read_settings(folders[i]);
        const Plan plan = read_plan(folders[i]);
        // By itself it needs no name before its headings.
        add_protocol(page, Results(settings, plan), make_tables(settings, plan),
                     folders.size() > 1 ? names[i] + ": " : std::string());
    }
    reporting::add_command(page, folders, options.threshold);
    return page.str();
}

}  // namespace liven::protocol
