#include <algorithm>
#include <cmath>

#include "table_parts.hpp"

namespace liven::protocol {
namespace {

using Field = Measure Judged::*;

std::vector<std::vector<Measure>> by_set(const Results& results, const std::string& model, Field field) {
    std::vector<std::vector<Measure>> sets;
    for (const NamedData& set : results.settings().data)
        sets.push_back(results.measures(model, "combined", set.name, field));
    return sets;
}

/// Where in the paper's columns a data set stands; 0 where it does not.
size_t published_column(const PublishedTable& paper, const std::string& set) {
    for (size_t i = 1; i < paper.columns.size(); ++i)
        if (canonical(paper.columns[i]) == canonical(set)) return i;
    return 0;
}

/// A row of models by data sets, the paper's figures in the order of our columns.
void add_published_sets(ResultTable& table, const PublishedTable& paper, const std::string& model) {
    const std::vector<std::string>* row = paper.row({model});
    if (!row) return;
    std::vector<TableCell> cells{model};
    bool any = false;
    for (size_t i = 1; i + 1 < table.columns.size(); ++i) {
        const size_t at = published_column(paper, table.columns[i]);
        cells.emplace_back(at == 0 ? "-" : (*row)[at]);
        any = any || at != 0;
    }
    cells.emplace_back(row->back() + " (of its five sets)");
    if (any) table.add(std::move(cells), true);
}

void add_by_model(Tables& tables, const Results& results, const char* id, const char* title, const char* paper_id,
                  Field field) {
    const PublishedTable& paper = published(paper_id);
    ResultTable table{.id = id, .title = title, .positive = {}, .columns = {"Model"}, .rows = {}, .notes = {}};
    for (const NamedData& set : results.settings().data) table.columns.push_back(set.name);
    table.columns.emplace_back("Average");
    for (const std::string& model : results.settings().models) {
        std::vector<TableCell> cells{title_of(model)};
        const auto sets = by_set(results, model, field);
        for (const auto& repetitions : sets) cells.emplace_back(repetitions, 3);
        cells.emplace_back(averages(sets), 3);
        table.add(std::move(cells));
        add_published_sets(table, paper, title_of(model));
    }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

void add_all_measures(Tables& tables, const Results& results) {
    const PublishedTable& paper = published("K17");
    ResultTable table{
        .id = "k17",
        .title = "All measures of combined-trained models on each set (K, table 17)",
        .positive = kAttackPositive,
        .columns = {"Model", "Dataset", "Precision", "Recall", "F1-Score", "APCER", "BPCER", "EER", "MCC"},
        .rows = {},
        .notes = {"The paper gives AttackNet V2.2 only."}};
    for (const std::string& model : results.settings().models)
        for (const NamedData& set : results.settings().data) {
            std::vector<TableCell> cells{title_of(model), set.name};
            for (const Field field : {&Judged::precision, &Judged::recall, &Judged::f1, &Judged::apcer, &Judged::bpcer,
                                      &Judged::eer, &Judged::mcc})
                cells.emplace_back(results.measures(model, "combined", set.name, field), 3);
            table.add(std::move(cells));
            const std::vector<std::string>* row = model == "attacknet-v2.2" ? paper.row({set.name}) : nullptr;
            if (!row) continue;
            std::vector<TableCell> printed{title_of(model)};
            printed.insert(printed.end(), row->begin(), row->end());
            table.add(std::move(printed), true);
        }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

/// The mean over all models and pairs of sets, repetition by repetition.
std::vector<Measure> cross_average(const Results& results, Field field) {
    std::vector<std::vector<Measure>> cells;
    for (const std::string& model : results.settings().models)
        for (const NamedData& source : results.settings().data)
            for (const NamedData& target : results.settings().data)
                if (source.name != target.name)
                    cells.push_back(results.measures(model, source.name, target.name, field));
    return averages(cells);
}

std::string improvement(const TableCell& accuracy, const TableCell& baseline) {
    if (!accuracy.value || !baseline.value) return "undefined (one of the accuracies is)";
    if (*baseline.value == 0) return "undefined (the baseline is 0)";
    const double percent = 100 * (*accuracy.value / *baseline.value - 1);
    return (percent < 0 ? "" : "+") + std::to_string(std::lround(percent)) + "% accuracy";
}

void add_improvement(Tables& tables, const Results& results) {
    if (!results.settings().questions.cross) return;
    const PublishedTable& paper = published("K18");
    ResultTable table{.id = "k18",
                      .title = "From training on one set to training on all (K, table 18)",
                      .positive = {},
                      .columns = paper.columns,
                      .rows = {},
                      .notes = {}};
    const auto add = [&](const std::string& name, const std::vector<TableCell>& figures, const std::string& gain) {
        std::vector<TableCell> cells{name};
        cells.insert(cells.end(), figures.begin(), figures.end());
        cells.emplace_back(gain);
        table.add(std::move(cells));
        add_published(table, paper, {name});
    };
    const std::initializer_list<Field> fields{&Judged::accuracy, &Judged::acer, &Judged::eer};
    std::vector<TableCell> baseline;
    for (const Field field : fields) baseline.emplace_back(cross_average(results, field), 3);
    add("Single-dataset (cross-evaluation)", baseline, "Baseline");
    for (const std::string& model : results.settings().models) {
        std::vector<TableCell> figures;
        for (const Field field : fields) figures.emplace_back(averages(by_set(results, model, field)), 3);
        add("Combined dataset (" + title_of(model) + ")", figures, improvement(figures[0], baseline[0]));
    }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

void add_sources(Tables& tables, const Results& results) {
    const PublishedTable& paper = published("A3");
    ResultTable table{.id = "a03",
                      .title = "Combined-trained models by source (A, table III)",
                      .positive = {},
                      .columns = paper.columns,
                      .rows = {},
                      .notes = {"NPCER is BPCER, ROC the area under the curve, Loss the mean loss without smoothing."}};
    std::vector<std::string> names;
    for (const NamedData& set : results.settings().data) names.push_back(set.name);
    names.emplace_back("combined");
    for (const std::string& model : results.settings().models)
        for (const std::string& set : names) {
            std::vector<TableCell> cells{title_of(model), set};
            for (const Field field :
                 {&Judged::loss, &Judged::accuracy, &Judged::acer, &Judged::apcer, &Judged::bpcer, &Judged::roc_auc})
                cells.emplace_back(results.measures(model, "combined", set, field), 4);
            table.add(std::move(cells));
            // A's model is LGSC: its row for the combined set is about other sets than ours unless some are the same.
            add_published(table, paper, {model == "lgsc" ? "LGSC" : title_of(model), set});
        }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

}  // namespace

void add_combined_by_set(Tables& tables, const Results& results) {
    if (!results.settings().questions.combined) return;
    add_by_model(tables, results, "k15", "Accuracy of combined-trained models on each set (K, table 15)", "K15",
                 &Judged::accuracy);
    add_by_model(tables, results, "k16", "ACER of combined-trained models on each set (K, table 16)", "K16",
                 &Judged::acer);
    add_all_measures(tables, results);
    add_improvement(tables, results);
    add_sources(tables, results);
}

void add_training_cost(Tables& tables, const Results& results) {
    const PublishedTable& paper = published("K13");
    ResultTable table{.id = "k13",
                      .title = "Training time and convergence (K, table 13)",
                      .positive = {},
                      .columns = {"Model", "Trained on", "Training Time (s)", "Best Epoch", "Val. Loss",
                                  "Val. Accuracy", "Total Parameters", "Size, MB"},
                      .rows = {},
                      .notes = {"Training time is that of the epochs, without reading the pictures first. Parameters "
                                "include running statistics; the size is that of the model file."}};
    std::vector<std::string> names;
    for (const Cell& cell : results.plan().cells)
        if (std::find(names.begin(), names.end(), cell.source.name) == names.end()) names.push_back(cell.source.name);
    for (const std::string& model : results.settings().models)
        for (const std::string& source : names) {
            std::vector<std::vector<Measure>> columns(6);
            for (const Cell* cell : results.repetitions(model, source)) {
                const CellResult* r = results.result(*cell);
                const auto put = [&](size_t column, double value) {
                    columns[column].push_back(r ? Measure(value) : Measure::undefined(cell->id + " is not finished"));
                };
                put(0, r ? r->seconds() : 0);
                put(1, r ? static_cast<double>(r->best_epoch) : 0);
                put(2, r ? r->validation_loss : 0);
                put(3, r ? r->validation_accuracy : 0);
                put(4, r ? r->parameters : 0);
                put(5, r ? r->model_bytes * 1e-6 : 0);
            }
            std::vector<TableCell> cells{title_of(model), source};
            const int decimals[] = {1, 1, 3, 3, 0, 2};
            for (size_t i = 0; i < columns.size(); ++i) cells.emplace_back(columns[i], decimals[i]);
            table.add(std::move(cells));
            const std::vector<std::string>* row = source == "combined" ? paper.row({title_of(model)}) : nullptr;
            if (!row) continue;
            std::vector<TableCell> printed{title_of(model), "combined"};
            printed.insert(printed.end(), row->begin() + 1, row->end());
            table.add(std::move(printed), true);
        }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

void add_literature(Tables& tables, const Results& results) {
    const Questions& asked = results.settings().questions;
    const PublishedTable& paper = published("K19");
    ResultTable table{.id = "k19",
                      .title = "HTER in the literature (K, table 19)",
                      .positive = {},
                      .columns = paper.columns,
                      .rows = {},
                      .notes = {"The published rows are not comparable: each has its own protocol, split, input and "
                                "threshold, as their papers describe. Measured HTER is at the threshold where the "
                                "source's validation samples have equal error rates."}};
    const auto add = [&](const std::string& model, const std::string& source, const std::string& target,
                         const std::string& words) {
        table.add({"measured", title_of(model) + (source == "combined" ? " (trained on the combined set)" : ""), words,
                   TableCell(results.measures(model, source, target, &Judged::hter), 3)});
    };
    for (const std::string& model : results.settings().models) {
        for (const NamedData& set : results.settings().data)
            if (asked.within) add(model, set.name, set.name, set.name + " (within)");
        if (!asked.combined) continue;
        add(model, "combined", "combined", "combined (within)");
        for (const NamedData& set : results.settings().data)
            add(model, "combined", set.name, set.name + " (its test set)");
    }
    for (const std::vector<std::string>& row : paper.rows) {
        std::vector<TableCell> cells(row.begin(), row.end());
        if (row[0] == "This work") cells[0] = "Kuznetsov et al. 2026";
        cells.back().text += ", not comparable";
        table.add(std::move(cells), true);
    }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

}  // namespace liven::protocol
