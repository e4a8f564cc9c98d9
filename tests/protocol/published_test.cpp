#include "src/protocol/published.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace liven::protocol;

namespace {

double number(const std::string& text) { return std::stod(text); }

/// Figures are printed to three decimals: each may be off by half a thousandth, and a sum or mean of two by one.
constexpr double kRounding = 1.01e-3;

}  // namespace

TEST_CASE("Every published row has a cell for every column") {
    REQUIRE(published_tables().size() == 16);
    for (const PublishedTable& table : published_tables()) {
        CAPTURE(table.id);
        CHECK_FALSE(table.rows.empty());
        for (const auto& row : table.rows) CHECK(row.size() == table.columns.size());
    }
}

TEST_CASE("Table 7 is consistent with attack as the positive class") {
    for (const auto& row : published("K7").rows) {
        CAPTURE(row[0], row[1]);
        const double precision = number(row[3]), recall = number(row[4]), apcer = number(row[7]),
                     bpcer = number(row[8]);
        CHECK(std::abs(recall - (1 - apcer)) < kRounding);
        CHECK(std::abs(number(row[5]) - 2 * precision * recall / (precision + recall)) < kRounding);
        CHECK(std::abs(number(row[9]) - (apcer + bpcer) / 2) < kRounding);
    }
}

TEST_CASE("Tables 11 and 12 follow from the counts of table 14") {
    for (const auto& row : published("K14").rows) {
        CAPTURE(row[0]);
        const double tp = number(row[1]), tn = number(row[2]), fp = number(row[3]), fn = number(row[4]);
        CHECK(tp + tn + fp + fn == 2620);
        const auto& of11 = *published("K11").row({row[0]});
        const auto& of12 = *published("K12").row({row[0]});
        CHECK(std::abs(number(of11[1]) - (tp + tn) / 2620) < kRounding);
        CHECK(std::abs(number(of11[2]) - tp / (tp + fp)) < kRounding);
        CHECK(std::abs(number(of11[3]) - tp / (tp + fn)) < kRounding);
        CHECK(std::abs(number(of12[1]) - fn / (tp + fn)) < kRounding);
        CHECK(std::abs(number(of12[2]) - fp / (tn + fp)) < kRounding);
    }
}

TEST_CASE("The averages of tables 15 and 16 are those of their rows") {
    for (const char* id : {"K15", "K16"})
        for (const auto& row : published(id).rows) {
            CAPTURE(id, row[0]);
            double sum = 0;
            for (size_t i = 1; i <= 5; ++i) sum += number(row[i]);
            CHECK(std::abs(sum / 5 - number(row[6])) < kRounding);
        }
}

TEST_CASE("The contradictions that are noted are there") {
    double accuracy = 0, acer = 0;
    for (const auto& row : published("K8").rows) {
        accuracy += number(row[2]) / 12;
        acer += number(row[3]) / 12;
    }
    CHECK(accuracy == Approx(0.527).margin(kRounding));  // table 18 has 0.523
    CHECK(acer == Approx(0.473).margin(kRounding));      // table 18 has 0.477
    double test = 0, weighted = 0;
    for (const auto& row : published("A2").rows) {
        const auto* accuracies = published("A3").row({"LGSC", row[0]});
        if (row[0] == "Total" || row[3] == "-") continue;
        REQUIRE(accuracies);
        test += number(row[3]);
        weighted += number(row[3]) * number((*accuracies)[3]);
    }
    CHECK(test == 30268);                                       // the table's total has 44527
    CHECK(weighted / test == Approx(0.944).margin(kRounding));  // the combined row has 0.7013
}

TEST_CASE("Names of data sets are compared by their letters and digits") {
    CHECK(canonical("Replay-Attack") == canonical("replay_attack"));
    CHECK(canonical("own") == canonical("Our Dataset"));
    CHECK(published("K7").row({"attacknet v2.2", "msspoof"}) != nullptr);
    CHECK(published("K7").row({"AttackNet V2.2", "nuaa"}) == nullptr);
}

TEST_CASE("A column says what was measured where a row was published, and is left out where none was") {
    ResultTable table{.id = "t", .title = "One", .positive = "", .columns = {"model", "AUC"}, .rows = {}, .notes = {}};
    table.add({"lgsc", {0.5, 2}});
    CHECK(to_markdown(table) == "## One\n\n| model | AUC |\n| --- | --- |\n| lgsc | 0.50 |\n");
    CHECK(to_csv(table) == "model,AUC\r\nlgsc,0.500000\r\n");
    CHECK(to_latex(table).find("{ll}\n\\hline\nmodel & AUC \\\\\n\\hline\nlgsc & 0.50 \\\\\n") != std::string::npos);
    table.add({"lgsc", {0.6, 2}}, true);
    CHECK(to_markdown(table) ==
          "## One\n\n| model | AUC | figures |\n| --- | --- | --- |\n| lgsc | 0.50 | measured |\n| lgsc | 0.60 | "
          "published |\n");
    CHECK(to_csv(table) == "model,AUC,figures\r\nlgsc,0.500000,measured\r\nlgsc,0.600000,published\r\n");
    CHECK(to_latex(table).find("{lll}\n\\hline\nmodel & AUC & figures \\\\\n\\hline\nlgsc & 0.50 & measured \\\\\n") !=
          std::string::npos);
}
