#include <fmt/format.h>

#include <algorithm>

#include "liven/core/bytes.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/version.hpp"
#include "liven/report/chart.hpp"
#include "report_parts.hpp"

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
               const std::vector<std::pair<std::string, std::string>>& keys) {
    report::LineChart chart{
        .title = title, .x = {.title = "epoch", .counts = true}, .y = {.title = title}, .series = {}};
    for (const RunEvidence& run : runs)
        for (const auto& [key, name] : keys) {
            const std::string prefix = runs.size() > 1 ? run.name + (name.empty() ? "" : ", ") : "";
            report::Series series = logged(run, key, prefix + name);
            if (!series.points.empty()) chart.series.push_back(std::move(series));
        }
    if (!chart.series.empty()) charts.push_back(svg(chart));
}

std::string text_of(double value, int decimals) { return fmt::format("{:.{}f}", value, decimals); }

double mean_of(const report::Series& series) {
    double sum = 0;
    for (const report::Point& point : series.points) sum += point.y;
    return series.points.empty() ? 0 : sum / static_cast<double>(series.points.size());
}

}  // namespace

void add_training(report::Page& page, Runs runs) {
    page.section("Training");
    std::vector<std::string> charts;
    add_chart(charts, runs, "loss", {{"loss", "training"}, {"val_loss", "validation"}});
    add_chart(charts, runs, "accuracy", {{"accuracy", "training"}, {"val_accuracy", "validation"}});
    add_chart(charts, runs, "validation ACER", {{"val_acer", ""}});
    add_chart(charts, runs, "learning rate", {{"learning_rate", ""}});
    add_chart(charts, runs, "gradient norm", {{"gradient_norm", ""}});
    add_chart(charts, runs, "seconds an epoch", {{"seconds", "all"}, {"data_seconds", "waiting for pictures"}});
    add_chart(charts, runs, "most memory so far, MB", {{kMemory, ""}});
    page.figures(charts);
    report::Table table{.columns = {"run", "model", "recipe", "parameters", "epochs", "seconds an epoch",
                                    "waiting for pictures", "images a second", "most memory"},
                        .rows = {}};
    for (const RunEvidence& run : runs) {
        const double seconds = mean_of(logged(run, "seconds", "")), images = mean_of(logged(run, "images", ""));
        const report::Series memory = logged(run, kMemory, "");
        table.rows.push_back({run.name, run.info.model, run.settings.recipe, text_of(run.parameters, 0),
                              std::to_string(run.log.size()), text_of(seconds, 1),
                              text_of(mean_of(logged(run, "data_seconds", "")), 2),
                              text_of(seconds > 0 ? images / seconds : 0, 1),
                              memory.points.empty() ? "not logged" : megabytes(1e6 * memory.points.back().y)});
    }
    page.table(table);
}

void add_data(report::Page& page, Runs runs) {
    page.section("Data");
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
    for (const RunEvidence& run : runs) {
        if (!run.split.leak_reason.empty())
            page.note(run.name + ": the splits share groups, so its figures flatter. It was allowed because: " +
                      run.split.leak_reason);
        for (const std::string& warning : run.split.warnings) page.note(run.name + ": " + warning);
    }
}

void add_how(report::Page& page, Runs runs) {
    page.section("How it was made");
    std::string again = "liven report", commands;
    for (const RunEvidence& run : runs) {
        again += " " + run.folder.string();
        commands += "liven train --config " + (run.folder / "config.toml").string() + " --out ANOTHER_FOLDER\n";
    }
    page.code(commands + again);
    page.text(fmt::format("Liven {}, {}, {}, {} threads, kernels for {}.", version(), build_info().type,
                          build_info().compiler, thread_count(), name_of(active_isa())));
    for (const RunEvidence& run : runs)
        page.fold("Settings of " + run.name).code(run.settings.to_config().str()).unfold();
}

}  // namespace liven::reporting
