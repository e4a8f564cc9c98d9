#include <algorithm>

#include "liven/metrics/bootstrap.hpp"
#include "table_parts.hpp"

namespace liven::protocol {
namespace {

/// One line of W's protocols: who is tested on what.
struct Shift {
    std::string protocol, source, target, tested_types;
    Attacks attacks = Attacks::all;
};

std::vector<Shift> shifts_of(const Results& results) {
    const Questions& asked = results.settings().questions;
    const auto& data = results.settings().data;
    std::vector<Shift> out;
    if (asked.within)
        for (const NamedData& set : data) out.push_back({"1 same set, known attacks", set.name, set.name, "all"});
    if (asked.cross)
        for (const NamedData& source : data)
            for (const NamedData& target : data)
                if (source.name != target.name)
                    out.push_back({"2 other set, known attacks", source.name, target.name, "those trained on",
                                   Attacks::trained_on});
    if (asked.unseen_set)
        for (const Source& source : results.sources(SourceKind::all_but_set))
            out.push_back({"2 other set, trained on all others", source.name, source.set, "all"});
    for (const Source& source : results.sources(SourceKind::set_without_type)) {
        const std::string type = source.type.empty() ? "those without a type" : source.type;
        if (asked.unseen_type) out.push_back({"3 same set, unseen attack", source.name, source.name, type});
        if (!asked.cross_type) continue;
        for (const NamedData& target : data)
            if (target.name != source.set)
                out.push_back({"4 other set, unseen attacks", source.name, target.name, "those not trained on",
                               Attacks::not_trained_on});
    }
    std::stable_sort(out.begin(), out.end(), [](const Shift& a, const Shift& b) { return a.protocol < b.protocol; });
    return out;
}

std::string with_interval(const Measure& value, const Interval& interval) {
    return value ? TableCell(value, 3).text + " " + interval.str(3) : value.str();
}

std::vector<std::string> groups_of(const CellResult& result, const std::string& target) {
    return result.targets.at(target).groups;
}

void add_cell_rows(ResultTable& table, const Results& results, const Cell& cell) {
    const CellResult* result = results.result(cell);
    if (!result) {
        std::vector<TableCell> row{title_of(cell.model), cell.source.name, "-"};
        row.resize(table.columns.size(), "undefined (" + cell.id + " is not finished)");
        table.add(std::move(row));
        return;
    }
    const BootstrapOptions bootstrap{.resamples = results.settings().resamples};
    for (const Target& target : cell.targets) {
        const Judged& judged = results.judged(cell, target.name);
        const SetScores& scores = result->targets.at(target.name);
        const auto groups = groups_of(*result, target.name);
        const Measure limit = results.threshold(cell);
        std::string at_threshold = judged.acer.str();
        if (limit)
            at_threshold = with_interval(
                judged.acer,
                bootstrap_interval(
                    scores.samples, groups,
                    [&](const ScoredSamples& drawn) { return acer(confusion(drawn, limit.value())); }, bootstrap));
        table.add({title_of(cell.model), cell.source.name, target.name, std::to_string(cell.seed),
                   cell.fold < 0 ? "-" : std::to_string(cell.fold + 1), std::to_string(scores.samples.size()),
                   std::to_string(scores.broken), TableCell(limit, 4), TableCell(judged.accuracy, 3), at_threshold,
                   with_interval(judged.roc_auc, bootstrap_interval(scores.samples, groups, roc_auc, bootstrap))});
    }
}

}  // namespace

void add_shifts(Tables& tables, const Results& results) {
    ResultTable table{.id = "w",
                      .title = "Four protocols by what is new at test (W, section II.D)",
                      .positive = {},
                      .columns = {"Protocol", "Model", "Trained on", "Tested on", "Attacks", "Accuracy", "FAR", "FRR",
                                  "ACER", "EER", "ROC-AUC"},
                      .rows = {},
                      .notes = {"FAR is APCER, FRR is BPCER. Attack types are the same when their names are."}};
    for (const Shift& shift : shifts_of(results))
        for (const std::string& model : results.settings().models) {
            std::vector<TableCell> cells{shift.protocol, title_of(model), shift.source, shift.target,
                                         shift.tested_types};
            for (Measure Judged::*field :
                 {&Judged::accuracy, &Judged::apcer, &Judged::bpcer, &Judged::acer, &Judged::eer, &Judged::roc_auc})
                cells.emplace_back(results.measures(model, shift.source, shift.target, field, shift.attacks), 3);
            table.add(std::move(cells));
        }
    const PublishedTable& paper = published("W");
    for (const std::string& model : results.settings().models)
        if (const std::vector<std::string>* row = paper.row({title_of(model)}))
            table.add({"not named", (*row)[0], "its own 1250 samples", "its own 1250 samples", "all", (*row)[1],
                       (*row)[2], (*row)[3], "-", "-", "-"},
                      true);
    add_source(table, paper);
    if (!table.rows.empty()) tables.push_back(std::move(table));
}

void add_cells(Tables& tables, const Results& results) {
    ResultTable table{.id = "cells",
                      .title = "Every training and test, with 95 % intervals",
                      .positive = {},
                      .columns = {"Model", "Trained on", "Tested on", "Seed", "Fold", "Samples", "Unreadable",
                                  "Threshold", "Accuracy", "ACER", "ROC-AUC"},
                      .rows = {},
                      .notes = {"Intervals by bootstrap over groups (subjects, or recordings where subjects are not "
                                "known): about who is tested, not about the training's chance."}};
    for (const Cell& cell : results.plan().cells) add_cell_rows(table, results, cell);
    tables.push_back(std::move(table));
}

}  // namespace liven::protocol
