#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/manifest.hpp"
#include "liven/io/file.hpp"
#include "liven/protocol/cell.hpp"
#include "liven/protocol/page.hpp"
#include "liven/protocol/runner.hpp"
#include "liven/protocol/tables.hpp"
#include "src/core/folder_lock.hpp"
#include "src/protocol/differences.hpp"
#include "src/protocol/result_json.hpp"
#include "tests/child_process.hpp"

using namespace liven;
using namespace liven::protocol;
namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Every table but that of times, by its file's name.
std::map<std::string, std::string> tables_of(const fs::path& out) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(out / "tables")) {
        const std::string name = entry.path().filename().string();
        if (name.rfind("k13", 0) != 0 && name.rfind("tables", 0) != 0) files[name] = contents_of(entry.path());
    }
    return files;
}

constexpr const char* kTop = "models = [\"livenessnet\"]\nseeds = [3]\nresamples = 20";

}  // namespace

TEST_CASE("A protocol ends with every table in three formats, the published rows beside the measured ones", "[slow]") {
    const TwoSets sets;
    const ProtocolSettings settings =
        sets.settings("models = [\"livenessnet\", \"attacknet-v2.2\"]\nseeds = [1]\nresamples = 20");
    const Plan plan = make_plan(settings, sets.folder / "out");
    REQUIRE(run_cells(plan, {}).empty());
    const TableReport report = make_tables(settings, plan);
    write_tables(report, plan.out);
    std::vector<std::string> ids;
    for (const ResultTable& table : report.tables) {
        CAPTURE(table.id);
        ids.push_back(table.id);
        for (const ResultTable::Row& row : table.rows) CHECK(row.cells.size() == table.columns.size());
        const std::string csv = contents_of(plan.out / "tables" / (table.id + ".csv"));
        CHECK(std::count(csv.begin(), csv.end(), '\n') == static_cast<std::ptrdiff_t>(table.rows.size()) + 1);
        const std::string tex = contents_of(plan.out / "tables" / (table.id + ".tex"));
        CHECK(std::count(tex.begin(), tex.end(), '{') == std::count(tex.begin(), tex.end(), '}'));
        const size_t columns = table.columns.size() + (table.has_published() ? 1 : 0);
        CHECK(has(tex, "\\begin{tabular}{" + std::string(columns, 'l') + "}"));
        // Shrunk to the line: the macro's argument ends right behind the tabular.
        CHECK(has(tex, "\\resizebox{\\linewidth}{!}{\\box0}"));
        CHECK(has(tex, "\n\\fit{\\begin{tabular}"));
        CHECK(has(tex, "\\end{tabular}}\n"));
        CHECK(std::all_of(tex.begin(), tex.end(), [](unsigned char c) { return c < 128; }));
    }
    CHECK(ids == std::vector<std::string>{"k07", "k08", "k09", "k11", "k12", "k13", "k14", "k15", "k16", "k17", "k18",
                                          "k19", "a02", "a03", "a04", "cross", "w", "cells"});
    const std::string k07 = contents_of(plan.out / "tables/k07.md");
    CHECK(has(k07, "Positive class: attack"));
    CHECK(has(k07,
              "| AttackNet V2.2 | CSMAD | 0.990 | 1.000 | 0.981 | 0.990 | 0.998 | 0.019 | 0.000 | 0.010 | 0.010 | "
              "published |"));
    CHECK(has(k07, "contradict themselves"));
    CHECK(has(contents_of(plan.out / "tables/k19.md"), "not comparable"));
    CHECK(has(contents_of(plan.out / "tables/tables.md"), "What differs from the published protocols"));
    const std::string page = protocol_page(settings, plan, report);
    for (const char* part : {"LivenessNet, accuracy", "AttackNet V2.2, EER", "seconds an epoch", "resident memory",
                             "HTER in the literature", "What differs"})
        CHECK(has(page, part));
}

TEST_CASE("W's four protocols differ in whether set and attacks are new", "[slow]") {
    const TwoSets sets;
    const ProtocolSettings settings = sets.settings(
        std::string(kTop) + "\nprotocols = [\"within\", \"cross\", \"unseen-set\", \"unseen-type\", \"cross-type\"]");
    const Plan plan = make_plan(settings, sets.folder / "out");
    REQUIRE(run_cells(plan, {}).empty());
    const auto tables = make_tables(settings, plan).tables;
    const auto table = std::find_if(tables.begin(), tables.end(), [](const ResultTable& t) { return t.id == "w"; });
    REQUIRE(table != tables.end());
    std::map<std::string, int> rows;
    for (const ResultTable::Row& row : table->rows) ++rows[row.cells[0].text];
    CHECK(rows == std::map<std::string, int>{{"1 same set, known attacks", 2},
                                             {"2 other set, known attacks", 2},
                                             {"2 other set, trained on all others", 2},
                                             {"3 same set, unseen attack", 6},
                                             {"4 other set, unseen attacks", 6}});
}

TEST_CASE("Cells that are not finished leave undefined figures with the reason") {
    const TwoSets sets;
    const ProtocolSettings settings = sets.settings(kTop);
    const Plan plan = make_plan(settings, sets.folder / "out");
    run_cell(plan.cells[0], plan.folder(plan.cells[0]));
    const TableReport report = make_tables(settings, plan);
    const ResultTable& k07 = report.tables[0];
    CHECK(k07.rows[0].cells[2].value.has_value());
    CHECK(k07.rows[2].cells[2].text == "undefined (livenessnet_msspoof_s3 is not finished)");
    CHECK(has(protocol_page(settings, plan, report), "trainings are not finished"));
}

TEST_CASE("liven report tells of a protocol what its own page does, and of trainings beside it") {
    const TwoSets sets;
    const ProtocolSettings settings = sets.settings(kTop);
    const Plan plan = make_plan(settings, sets.folder / "a protocol");
    run_cell(plan.cells[0], plan.folder(plan.cells[0]));
    const std::string own = protocol_page(settings, plan, make_tables(settings, plan));
    CHECK(report_page({&plan.out, 1}) == own);
    for (const char* part :
         {"livenessnet", "Across data sets</h2>", "Models beside each other</h2>", "How it was made</h2>",
          "liven protocol --config &#39;", "Trained with Liven ", "liven report &#39;"}) {
        INFO(part);
        CHECK(has(own, part));
    }
    const std::vector<fs::path> both{plan.out, plan.folder(plan.cells[0]) / "run"};
    const std::string page = report_page(both, {.bootstrap = {.resamples = 20}});
    for (const char* part : {"Liveness detection: a protocol, run", ">Measures</h2>",
                             ">a protocol: Across data sets</h2>", ">a protocol: Tables</h2>", ">This page</h2>"}) {
        INFO(part);
        CHECK(has(page, part));
    }
    CHECK(has(report_page({&plan.out, 1}, {.title = "Mine"}), "<h1>Mine</h1>"));
    // Pictures gone, what was measured stays.
    fs::remove_all(sets.a);
    CHECK(report_page({&plan.out, 1}) == own);
    const std::vector<fs::path> twice{plan.out, plan.out / "."};
    CHECK_THROWS_WITH(report_page(twice), Catch::Contains("got one twice"));
    CHECK_THROWS_WITH(report_page({&sets.folder.path(), 1}), Catch::Contains("neither a training nor a protocol"));
    CHECK(run("report '" + plan.out.string() + "'") == 0);
    CHECK(contents_of(plan.out / "report.html") == own);
}

TEST_CASE("A cell that fails is reported and the others go on") {
    const TwoSets sets;
    // So large a rate ends in an infinity on one set only.
    const ProtocolSettings settings = sets.settings(kTop, "[on.csmad]\nlearning_rate = 1e30\noptimizer = \"sgd\"\n");
    const Plan plan = make_plan(settings, sets.folder / "out");
    const auto failures = run_cells(plan, {});
    REQUIRE(failures.size() == 1);
    CHECK(failures[0].cell == "livenessnet_csmad_s3");
    CHECK_FALSE(failures[0].reason.empty());
    CHECK(read_result(plan.cells.back(), plan.folder(plan.cells.back())).has_value());
    CHECK(has(to_markdown(make_tables(settings, plan).tables[0]), "undefined (livenessnet_csmad_s3 is not finished)"));
}

TEST_CASE("Other settings do not pass for those of a finished cell") {
    const TwoSets sets;
    const Plan plan = make_plan(sets.settings(kTop), sets.folder / "out");
    run_cell(plan.cells[0], plan.folder(plan.cells[0]));
    const Plan other = make_plan(sets.settings(kTop, "[on.csmad]\nepochs = 2\n"), sets.folder / "out");
    CHECK_THROWS_WITH(run_cell(other.cells[0], other.folder(other.cells[0])),
                      Catch::Matchers::Contains("other settings or data"));
}

TEST_CASE("Validation and test samples of the same scores leave HTER without a value, not the tables") {
    const TwoSets sets;
    const ProtocolSettings settings = sets.settings(std::string(kTop) + "\nprotocols = [\"within\"]");
    const Plan plan = make_plan(settings, sets.folder / "out");
    const Cell& cell = plan.cells[0];
    const SetScores scores{.samples = {.scores = {0.25, 0.75}, .labels = {0, 1}, .attack_types = {"", "mask"}},
                           .groups = {"ann", "bob"}};
    CellResult result;
    result.key = cell.key;
    result.validation = scores;
    result.targets.emplace(cell.targets[0].name, scores);
    result.epochs.push_back({.epoch = 1, .seconds = 1, .megabytes = 1, .loss = 1, .validation_loss = 1});
    result.best_epoch = 1;
    std::filesystem::create_directories(plan.folder(cell));
    write_file_atomically(plan.folder(cell) / "result.json", json_of(result).str());
    std::string all;
    for (const ResultTable& table : make_tables(settings, plan).tables) all += to_markdown(table);
    CHECK(has(all, "the same scores and labels"));
}

TEST_CASE("What is said of groups is what is known of them") {
    const TwoSets sets;
    const auto differences = [&](const ProtocolSettings& settings, const char* out) {
        const Plan plan = make_plan(settings, sets.folder / out);
        std::string all;
        for (const std::string& each : remaining_differences(settings, plan)) all += each + "\n";
        return all;
    };
    const std::string top = std::string(kTop) + "\nprotocols = [\"within\"]\nfolds = 2";
    CHECK(has(differences(sets.settings(top), "grouped"), "Subjects or videos lie on one side of a split."));
    data::Dataset set = data::open_dataset(sets.b);
    for (data::Sample& sample : set.samples) sample.subject = sample.video = sample.target = "";
    data::write_manifest(set, sets.folder / "b/manifest.csv");
    const std::string torn = differences(sets.settings(top), "torn");
    CHECK_FALSE(has(torn, "lie on one side of a split."));
    CHECK(has(torn, "msspoof: 36 pictures"));
}

TEST_CASE("A second process leaves the data of a running one alone") {
    const TwoSets sets;
    make_plan(sets.settings(kTop), sets.folder / "out");
    const FolderLock running(sets.folder / "out", FolderLock::Wait::no);
    const std::string plan = contents_of(sets.folder / "out/plan.json");
    const std::string other = sets.folder.file("p.toml", sets.toml("models = [\"livenessnet\"]\nfolds = 2")).string();
    for (const char* mode : {"", " --plan", " --tables"})
        CHECK(run("protocol --config " + other + " --out " + (sets.folder / "out").string() + mode) == 1);
    CHECK(contents_of(sets.folder / "out/plan.json") == plan);
    CHECK_FALSE(fs::exists(sets.folder / "out/data/csmad-fold1.csv"));
}

TEST_CASE("A program that cannot be started is a failure with its reason") {
    const TwoSets sets;
    const Plan plan = make_plan(sets.settings(std::string(kTop) + "\nprotocols = [\"within\"]"), sets.folder / "out");
    const auto failures = run_cells(plan, {.command = {(sets.folder / "gone").string()}});
    REQUIRE(failures.size() == 2);
    CHECK(failures[0].reason == "the program cannot be started: No such file or directory");
}

TEST_CASE("A program replaced while it runs goes on with its cells") {
    const TwoSets sets;
    const std::string config =
        sets.folder.file("p.toml", sets.toml(std::string(kTop) + "\nprotocols = [\"within\"]")).string();
    const fs::path program = sets.folder / "program";
    fs::copy_file(LIVEN_PROGRAM, program);
    const std::string command = "exec 3<" + program.string() + "; rm " + program.string() +
                                "; exec /proc/self/fd/3 protocol --config " + config + " --out " +
                                (sets.folder / "out").string() + " >/dev/null 2>&1";
    CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("One job and two, killed or not, end with the same tables", "[slow]") {
    const TwoSets sets;
    const std::string file =
        sets.folder.file("p.toml", sets.toml(kTop, "checkpoint_every = 2\n[on.csmad]\nepochs = 6\n")).string();
    const auto command = [&](const char* out, const char* more) {
        return "--threads 2 protocol --config " + file + " --out " + (sets.folder / out).string() + more;
    };
    REQUIRE(run(command("one", " --jobs 1")) == 0);
    REQUIRE(run(command("two", " --jobs 2")) == 0);
    const auto whole = tables_of(sets.folder / "one");
    CHECK(whole.size() == 3 * 17);
    CHECK(whole == tables_of(sets.folder / "two"));
    // Killed at growing moments, with its children, until it comes to its end.
    int kills = 0;
    for (int milliseconds = 150; kills < 20; milliseconds += 150, ++kills) {
        const pid_t child = start(command("killed", " --jobs 2"));
        ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        if (!WIFSIGNALED(status)) break;
    }
    CHECK(kills > 0);
    REQUIRE(run(command("killed", " --jobs 2")) == 0);
    CHECK(whole == tables_of(sets.folder / "killed"));
}
