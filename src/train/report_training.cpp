#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "environment_line.hpp"
#include "liven/core/bytes.hpp"
#include "liven/data/folds.hpp"
#include "liven/report/set_charts.hpp"
#include "report_parts.hpp"
#include "run_folder.hpp"
#include "src/io/shell.hpp"

namespace liven::reporting {
namespace {

constexpr const char* kMemory = "peak_memory";

/// One key of the log over the epochs; epochs without it are left out.
report::Series logged(const RunEvidence& run, const std::string& key, const std::string& name) {
    report::Series series{.name = name, .points = {}};
    const double unit = key == kMemory ? 1e-6 : 1;  // in megabytes
    for (const Json& line : run.log) {
        const Json *epoch = line.find("epoch"), *value = line.find(key);
        if (epoch && value && value->is_number()) series.points.push_back({epoch->number(), unit * value->number()});
    }
    return series;
}

/// A chart of the keys, for all runs; empty when nobody logged them.
void add_chart(std::vector<std::string>& charts, Runs runs, const std::string& title,
               const std::vector<std::pair<std::string, std::string>>& keys, std::optional<double> low = {}) {
    std::vector<report::Series> lines;
    for (const RunEvidence& run : runs)
        for (const auto& [key, name] : keys) {
            const std::string prefix = runs.size() > 1 ? run.name + (name.empty() ? "" : ", ") : "";
            report::Series series = logged(run, key, prefix + name);
            series.marked = series.points.size() <= report::most_marks;
            if (!series.points.empty()) lines.push_back(std::move(series));
        }
    if (lines.empty()) return;
    report::LineChart chart = report::epoch_chart(title, std::move(lines));
    chart.y.low = low;
    charts.push_back(svg(chart));
}

std::string text_of(double value, int decimals) { return fmt::format("{:.{}f}", value, decimals); }

/// "2,388,802"
std::string grouped(double count) {
    std::string text = text_of(count, 0);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<size_t>(at), 1, ',');
    return text;
}

/// "the trainings of one, two" behind each different environment.
void add_environments(report::Page& page, Runs runs) {
    std::map<std::string, std::string> by_line;
    for (const RunEvidence& run : runs) {
        std::string line;
        for (const std::string& each : RunFolder(run.folder).environments())
            line.append(line.empty() ? "" : ", then ").append(each);
        std::string& names = by_line[line.empty() ? "an environment that was not recorded" : line];
        names += (names.empty() ? "" : ", ") + run.name;
    }
    for (const auto& [line, names] : by_line) page.text(fmt::format("Trained with {}: {}.", line, names));
}

double mean_of(const report::Series& series) {
    double sum = 0;
    for (const report::Point& point : series.points) sum += point.y;
    return series.points.empty() ? 0 : sum / static_cast<double>(series.points.size());
}

/// Classes, attack types and groups in the parts of each set, once a set.
void add_data_summary(report::Page& page, Runs runs) {
    std::set<std::string> told;
    for (const RunEvidence& run : runs) {
        if (!told.insert(run.settings.data).second) continue;
        const std::vector<std::string> types = data::attack_types(run.divided);
        report::Table table{.columns = {run.settings.data, "samples", "bona fide", "attacks"},
                            .rows = {},
                            .caption = "as divided for " + run.name + "; recordings count once"};
        for (const std::string& type : types) table.columns.push_back(type.empty() ? "type not said" : type);
        for (const char* column : {"subjects", "recordings"}) table.columns.emplace_back(column);
        const auto add_row = [&](const std::string& name, const data::Dataset& part) {
            std::map<std::string, int64_t> by_type;
            std::set<std::string> subjects, videos;
            for (const data::Sample& sample : part.samples) {
                if (sample.label == data::Label::attack) ++by_type[sample.attack_type];
                if (!sample.subject.empty()) subjects.insert(sample.dataset + '/' + sample.subject);
                if (!sample.video.empty()) videos.insert(sample.dataset + '/' + sample.subject + '/' + sample.video);
            }
            std::vector<std::string> row{name, grouped(static_cast<double>(part.size())),
                                         grouped(static_cast<double>(part.count(data::Label::bonafide))),
                                         grouped(static_cast<double>(part.count(data::Label::attack)))};
            for (const std::string& type : types) row.push_back(grouped(static_cast<double>(by_type[type])));
            for (const auto* names : {&subjects, &videos})
                row.push_back(names->empty() ? "not known" : grouped(static_cast<double>(names->size())));
            table.rows.push_back(std::move(row));
        };
        add_row("train", run.divided.only(data::Split::train));
        add_row("validation", run.divided.only(data::Split::val));
        add_row("test", run.divided.only(data::Split::test));
        add_row("all", run.divided);
        page.table(table);
    }
}

}  // namespace

void add_training(report::Page& page, Runs runs) {
    page.section("Training");
    std::vector<std::string> charts;
    // Of several runs a chart each: so many lines could not be told apart.
    for (const char* key : {"loss", "accuracy"}) {
        const std::string name = key;
        if (runs.size() == 1) {
            add_chart(charts, runs, name, {{name, "training"}, {"val_" + name, "validation"}});
            continue;
        }
        add_chart(charts, runs, "training " + name, {{name, ""}});
        add_chart(charts, runs, "validation " + name, {{"val_" + name, ""}});
    }
    add_chart(charts, runs, "validation ACER", {{"val_acer", ""}});
    add_chart(charts, runs, "learning rate", {{"learning_rate", ""}});
    add_chart(charts, runs, "gradient norm", {{"gradient_norm", ""}});
    add_chart(charts, runs, "seconds an epoch", {{"seconds", ""}}, 0.0);
    add_chart(charts, runs, "most memory so far, MB", {{kMemory, ""}}, 0.0);
    page.figures(charts);
    report::Table table{.columns = {"run", "model", "recipe", "parameters", "epochs", "seconds\nan epoch",
                                    "of them waiting\nfor pictures", "images\na second", "most memory"},
                        .rows = {}};
    for (const RunEvidence& run : runs) {
        const double seconds = mean_of(logged(run, "seconds", "")), images = mean_of(logged(run, "images", ""));
        const report::Series memory = logged(run, kMemory, "");
        table.rows.push_back({run.name, run.info.model, run.settings.recipe, grouped(run.parameters),
                              std::to_string(run.log.size()), text_of(seconds, 1),
                              text_of(mean_of(logged(run, "data_seconds", "")), 2),
                              text_of(seconds > 0 ? images / seconds : 0, 0),
                              memory.points.empty() ? "not logged" : megabytes(1e6 * memory.points.back().y)});
    }
    page.table(table);
}

void add_data(report::Page& page, Runs runs) {
    page.section("Data");
    page.text(
        "How many samples each run trains on, is chosen and gets its threshold by (validation), and is judged on "
        "(test); "
        "by what they are grouped, so that no group lies in two parts; and how many files could not be read.");
    report::Table table{.columns = {"run", "set", "train", "validation", "test", "groups", "by", "left out"},
                        .rows = {}};
    for (const RunEvidence& run : runs) {
        const data::SplitRecord& split = run.split;
        const size_t broken = run.validation.broken.size() + (run.test ? run.test->broken.size() : 0);
        table.rows.push_back({run.name, run.settings.data, std::to_string(split.train), std::to_string(split.val),
                              std::to_string(split.test), std::to_string(split.groups),
                              std::string(data::name_of(split.group_by)), std::to_string(broken)});
    }
    page.table(table);
    add_data_summary(page, runs);
    for (const RunEvidence& run : runs) {
        if (!run.split.leak_reason.empty())
            page.note(run.name + ": the splits share groups, so its figures flatter. It was allowed because: " +
                      run.split.leak_reason);
        for (const std::string& warning : run.split.warnings) page.note(run.name + ": " + warning);
    }
}

void add_how(report::Page& page, Runs runs) {
    page.section("How it was made");
    std::string commands;
    for (const RunEvidence& run : runs)
        commands +=
            "liven train --config " + shell_quoted((run.folder / "config.toml").string()) + " --out ANOTHER_FOLDER\n";
    page.code(commands);
    add_environments(page, runs);
    for (const RunEvidence& run : runs)
        page.fold("Settings of " + run.name).code(run.settings.to_config().str()).unfold();
}

void add_command(report::Page& page, std::span<const std::filesystem::path> folders, std::optional<double> threshold) {
    page.section("This page");
    std::string command = "liven report";
    for (const std::filesystem::path& folder : folders) command += ' ' + shell_quoted(folder.string());
    if (threshold) command += fmt::format(" --threshold {}", *threshold);
    page.code(command + " -o report.html");
    page.text("Written by " + environment_line() + ".");
}

}  // namespace liven::reporting
