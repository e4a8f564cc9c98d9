#include "statistics.hpp"

#include <algorithm>

#include "liven/metrics/hypothesis.hpp"
#include "table_parts.hpp"

namespace liven::protocol {
namespace {

/// Source and target of one number.
struct Pair {
    std::string source, target;
};

/// Cells across sets, or those within where nothing else was asked, or those of the combined set.
std::vector<Pair> compared_pairs(const Results& results) {
    const Questions& asked = results.settings().questions;
    const auto& data = results.settings().data;
    std::vector<Pair> pairs;
    if (asked.cross) {
        for (const NamedData& source : data)
            for (const NamedData& target : data)
                if (source.name != target.name) pairs.push_back({source.name, target.name});
    } else if (asked.within) {
        for (const NamedData& set : data) pairs.push_back({set.name, set.name});
    } else if (asked.combined) {
        for (const NamedData& set : data) pairs.push_back({"combined", set.name});
    }
    return pairs;
}

Measure mean_of(const std::vector<Measure>& values) {
    std::vector<std::vector<Measure>> each;
    for (const Measure& value : values) each.push_back({value});
    return each.empty() ? Measure::undefined("nothing was measured") : averages(each)[0];
}

/// The value of one model in each unit.
struct UnitTable {
    std::vector<std::string> names;
    std::vector<std::vector<Measure>> by_model;
};

UnitTable by_cells(const Results& results, const std::vector<Pair>& pairs, Measure Judged::*field) {
    UnitTable out;
    for (const Pair& pair : pairs) out.names.push_back(pair.source + " → " + pair.target);
    for (const std::string& model : results.settings().models) {
        out.by_model.emplace_back();
        for (const Pair& pair : pairs)
            out.by_model.back().push_back(mean_of(results.measures(model, pair.source, pair.target, field)));
    }
    return out;
}

/// Units are the values that `unit_of` tells apart.
template <class UnitOf>
UnitTable by_repetition(const Results& results, const std::vector<Pair>& pairs, Measure Judged::*field,
                        const std::vector<int64_t>& units, const char* word, UnitOf unit_of) {
    UnitTable out;
    for (const int64_t unit : units) out.names.push_back(word + std::to_string(unit));
    for (const std::string& model : results.settings().models) {
        out.by_model.emplace_back();
        for (const int64_t unit : units) {
            std::vector<Measure> values;
            for (const Pair& pair : pairs)
                for (const Cell* cell : results.repetitions(model, pair.source))
                    if (unit_of(*cell) == unit) values.push_back(results.judged(*cell, pair.target).*field);
            out.by_model.back().push_back(mean_of(values));
        }
    }
    return out;
}

UnitTable unit_table(const Results& results) {
    const ProtocolSettings& settings = results.settings();
    const auto pairs = compared_pairs(results);
    Measure Judged::*field = compared_field(settings);
    if (settings.units == Units::cells) return by_cells(results, pairs, field);
    if (settings.units == Units::seeds)
        return by_repetition(results, pairs, field, settings.seeds, "seed ",
                             [](const Cell& cell) { return cell.seed; });
    std::vector<int64_t> folds;
    for (int64_t fold = 1; fold <= settings.folds; ++fold) folds.push_back(fold);
    return by_repetition(results, pairs, field, folds, "fold ", [](const Cell& cell) { return cell.fold + 1; });
}

std::string words_of(Units units) {
    return units == Units::cells ? "source → target cells" : units == Units::seeds ? "seeds" : "folds";
}

void add_anova(ResultTable& table, const UnitValues& values, const std::string& measure) {
    const std::string start = "One-way ANOVA over the models' " + measure +
                              ", units: " + std::to_string(values.names.size()) + " " + values.units + ": ";
    if (values.by_model.size() < 2) {
        table.notes.push_back(start + "undefined (one model cannot be compared).");
        return;
    }
    if (values.names.empty()) {
        table.notes.push_back(start + "undefined (no unit has a value for every model).");
        return;
    }
    const Anova anova = one_way_anova(values.by_model);
    table.notes.push_back(start + "F(" + std::to_string(anova.between_freedom) + ", " +
                          std::to_string(anova.within_freedom) + ") = " + anova.f.str(3) + ", p = " + anova.p.str(3) +
                          ", eta squared = " + anova.eta_squared.str(3) +
                          ". The paper's, over its own cells: F = 0.034, p = 0.991.");
}

}  // namespace

Measure Judged::*compared_field(const ProtocolSettings& settings) {
    return settings.compare == "acer"  ? &Judged::acer
           : settings.compare == "auc" ? &Judged::roc_auc
                                       : &Judged::accuracy;
}

UnitValues unit_values(const Results& results) {
    const UnitTable table = unit_table(results);
    UnitValues out{.units = words_of(results.settings().units),
                   .names = {},
                   .by_model = std::vector<std::vector<double>>(table.by_model.size()),
                   .left_out = {}};
    for (size_t unit = 0; unit < table.names.size(); ++unit) {
        const auto missing = std::find_if(table.by_model.begin(), table.by_model.end(),
                                          [&](const auto& values) { return !values[unit]; });
        if (missing != table.by_model.end()) {
            out.left_out.push_back(table.names[unit] + ": " + (*missing)[unit].str());
            continue;
        }
        out.names.push_back(table.names[unit]);
        for (size_t model = 0; model < table.by_model.size(); ++model)
            out.by_model[model].push_back(table.by_model[model][unit].value());
    }
    return out;
}

void add_statistics(Tables& tables, const Results& results) {
    const PublishedTable& paper = published("K9");
    const UnitValues values = unit_values(results);
    const std::string& measure = results.settings().compare;
    ResultTable table{.id = "k09",
                      .title = "Pairwise comparisons of " + measure + " (K, table 9)",
                      .positive = {},
                      .columns = {"Model A", "Model B", "t-statistic", "p-value", "Mean Difference", "p by Holm",
                                  "Cohen's d", "paired t", "paired p", "paired p by Holm"},
                      .rows = {},
                      .notes = {}};
    add_anova(table, values, measure);
    if (values.by_model.size() >= 2 && !values.names.empty()) {
        const auto pooled = pairwise_t_tests(values.by_model, TTestKind::pooled),
                   paired = pairwise_t_tests(values.by_model, TTestKind::paired);
        for (size_t i = 0; i < pooled.size(); ++i) {
            const std::string a = title_of(results.settings().models[pooled[i].first]),
                              b = title_of(results.settings().models[pooled[i].second]);
            table.add({a, b, TableCell(pooled[i].test.t, 3), TableCell(pooled[i].test.p, 3),
                       TableCell(pooled[i].test.difference, 3), TableCell(pooled[i].adjusted_p, 3),
                       TableCell(pooled[i].test.effect, 3), TableCell(paired[i].test.t, 3),
                       TableCell(paired[i].test.p, 3), TableCell(paired[i].adjusted_p, 3)});
            const bool turned = !paper.row({a, b});
            add_published(table, paper, turned ? std::vector{b, a} : std::vector{a, b});
        }
    }
    table.notes.emplace_back(
        "The first test takes units as independent, as the paper does; every model is tested on the same ones, so the "
        "paired test is the one to go by.");
    for (const std::string& unit : values.left_out) table.notes.push_back("Left out: " + unit + ".");
    add_source(table, paper);
    tables.push_back(std::move(table));
}

}  // namespace liven::protocol
