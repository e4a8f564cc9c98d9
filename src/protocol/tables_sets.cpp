#include "table_parts.hpp"

namespace liven::protocol {
namespace {

using Field = Measure Judged::*;

/// The mean of each field over the repetitions.
std::vector<TableCell> figures(const Results& results, const std::string& model, const std::string& source,
                               const std::string& target, std::initializer_list<Field> fields) {
    std::vector<TableCell> cells;
    for (const Field field : fields) cells.emplace_back(results.measures(model, source, target, field), 3);
    return cells;
}

std::vector<TableCell> row(std::vector<TableCell> names, const std::vector<TableCell>& figures) {
    names.insert(names.end(), figures.begin(), figures.end());
    return names;
}

/// Other sets that models of this source were tested on.
std::vector<std::string> other_targets(const Results& results, const std::string& source) {
    std::vector<std::string> names;
    for (const NamedData& set : results.settings().data)
        if (set.name != source) names.push_back(set.name);
    return names;
}

/// "MSSpoof (0.532)" of the set with the most or least accuracy.
std::string extreme_transfer(const Results& results, const std::string& model, const std::string& source, bool best) {
    std::string name;
    TableCell found("");
    for (const std::string& target : other_targets(results, source)) {
        const TableCell cell(results.measures(model, source, target, &Judged::accuracy), 3);
        if (!cell.value) return cell.text;
        if (found.value && (best ? *cell.value <= *found.value : *cell.value >= *found.value)) continue;
        found = cell;
        name = target;
    }
    return name + " (" + TableCell(*found.value, 3).text + ")";
}

void add_averages(Tables& tables, const Results& results) {
    const PublishedTable& paper = published("K8");
    ResultTable table{.id = "k08",
                      .title = "Average cross-set performance, trained on one set, tested on the others (K, table 8)",
                      .positive = {},
                      .columns = paper.columns,
                      .rows = {},
                      .notes = {"The threshold is that of the source's validation samples; nothing is refitted."}};
    for (const Source& source : results.sources(SourceKind::set))
        for (const std::string& model : results.settings().models) {
            std::vector<TableCell> cells{source.name, title_of(model)};
            for (const Field field : {&Judged::accuracy, &Judged::acer, &Judged::eer}) {
                std::vector<std::vector<Measure>> sets;
                for (const std::string& target : other_targets(results, source.name))
                    sets.push_back(results.measures(model, source.name, target, field));
                cells.emplace_back(averages(sets), 3);
            }
            cells.emplace_back(extreme_transfer(results, model, source.name, true));
            cells.emplace_back(extreme_transfer(results, model, source.name, false));
            table.add(std::move(cells));
            add_published(table, paper, {source.name, title_of(model)});
        }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

}  // namespace

void add_set_sizes(Tables& tables, const Results& results) {
    const PublishedTable& paper = published("A2");
    ResultTable table{.id = "a02",
                      .title = "Samples of each set (A, table II)",
                      .positive = {},
                      .columns = paper.columns,
                      .rows = {},
                      .notes = {}};
    int64_t train = 0, val = 0, test = 0;
    for (const SetSummary& set : results.plan().sets) {
        table.add({set.name, std::to_string(set.train), std::to_string(set.val), std::to_string(set.test)});
        add_published(table, paper, {set.name});
        if (!set.leak_reason.empty())
            table.notes.push_back(set.name + ": its splits share groups, allowed because: " + set.leak_reason);
        if (set.name == "combined") continue;
        train += set.train;
        val += set.val;
        test += set.test;
    }
    table.add({"Total", std::to_string(train), std::to_string(val), std::to_string(test)});
    if (results.settings().folds > 0)
        table.notes.push_back("Of the first of " + std::to_string(results.settings().folds) + " folds.");
    for (const std::string& note : results.plan().notes) table.notes.push_back(note);
    add_source(table, paper);
    tables.push_back(std::move(table));
}

void add_within(Tables& tables, const Results& results) {
    if (!results.settings().questions.within) return;
    const PublishedTable& paper = published("K7");
    ResultTable table{.id = "k07",
                      .title = "Within-set performance (K, table 7)",
                      .positive = kAttackPositive,
                      .columns = paper.columns,
                      .rows = {},
                      .notes = {}};
    for (const std::string& model : results.settings().models)
        for (const NamedData& set : results.settings().data) {
            table.add(row({title_of(model), set.name},
                          figures(results, model, set.name, set.name,
                                  {&Judged::accuracy, &Judged::precision, &Judged::recall, &Judged::f1,
                                   &Judged::roc_auc, &Judged::apcer, &Judged::bpcer, &Judged::acer, &Judged::eer})));
            add_published(table, paper, {title_of(model), set.name});
        }
    add_source(table, paper);
    tables.push_back(std::move(table));
}

void add_cross(Tables& tables, const Results& results) {
    if (!results.settings().questions.cross) return;
    add_averages(tables, results);
    ResultTable table{
        .id = "cross",
        .title = "Every source and target (the cells of K, figure 9)",
        .positive = kAttackPositive,
        .columns = {"Model", "Trained on", "Tested on", "Accuracy", "F1-Score", "ROC-AUC", "APCER", "BPCER", "ACER",
                    "EER", "HTER"},
        .rows = {},
        .notes = {"HTER is at the threshold where the source's validation samples have equal error rates."}};
    for (const std::string& model : results.settings().models)
        for (const Source& source : results.sources(SourceKind::set))
            for (const NamedData& target : results.settings().data) {
                if (target.name == source.name && !results.settings().questions.within) continue;
                table.add(row({title_of(model), source.name, target.name},
                              figures(results, model, source.name, target.name,
                                      {&Judged::accuracy, &Judged::f1, &Judged::roc_auc, &Judged::apcer, &Judged::bpcer,
                                       &Judged::acer, &Judged::eer, &Judged::hter})));
            }
    tables.push_back(std::move(table));
}

void add_combined(Tables& tables, const Results& results) {
    if (!results.settings().questions.combined) return;
    const auto add = [&](const char* id, const char* title, const char* paper_id, const char* positive,
                         std::initializer_list<Field> fields, const char* note) {
        const PublishedTable& paper = published(paper_id);
        ResultTable table{
            .id = id, .title = title, .positive = positive, .columns = paper.columns, .rows = {}, .notes = {}};
        if (*note) table.notes.emplace_back(note);
        for (const std::string& model : results.settings().models) {
            table.add(row({title_of(model)}, figures(results, model, "combined", "combined", fields)));
            add_published(table, paper, {title_of(model)});
        }
        add_source(table, paper);
        tables.push_back(std::move(table));
    };
    add("k11", "Test performance on the combined set (K, table 11)", "K11", kAttackPositive,
        {&Judged::accuracy, &Judged::precision, &Judged::recall, &Judged::f1, &Judged::roc_auc, &Judged::pr_auc}, "");
    add("k12", "Biometric measures on the combined set (K, table 12)", "K12", "",
        {&Judged::apcer, &Judged::bpcer, &Judged::acer, &Judged::eer, &Judged::hter, &Judged::mcc, &Judged::kappa},
        "HTER is at the threshold where validation samples have equal error rates; the paper's equals its ACER.");
    add("k14", "Confusion on the combined set (K, table 14)", "K14", kAttackPositive,
        {&Judged::true_positives, &Judged::true_negatives, &Judged::false_positives, &Judged::false_negatives},
        "Means over seeds and folds where there are several.");
    add("a04", "Accuracy on the combined set (A, table IV)", "A4", "", {&Judged::accuracy}, "");
}

}  // namespace liven::protocol
