#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "cli.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"
#include "liven/io/file.hpp"
#include "liven/protocol/cell.hpp"
#include "liven/protocol/page.hpp"
#include "liven/protocol/runner.hpp"
#include "liven/train/trainer.hpp"
#include "src/core/folder_lock.hpp"

namespace liven::cli {
namespace {

struct ProtocolArguments {
    std::string config, out, cell;
    std::vector<std::string> passed_on;  ///< options of the program itself
    int jobs = 0;
    bool plan = false, tables = false;
};

/// This program, told to run one cell; the id follows. The link leads to it even when its file has been replaced.
std::vector<std::string> cell_command(const ProtocolArguments& asked) {
    std::vector<std::string> command{"/proc/self/exe", "--isa", std::string(name_of(active_isa())), "--executor",
                                     std::string(name_of(executor_kind()))};
    command.insert(command.end(), asked.passed_on.begin(), asked.passed_on.end());
    command.insert(command.end(), {"protocol", "--out", asked.out, "--cell"});
    return command;
}

void print_plan(const protocol::Plan& plan) {
    for (const protocol::Cell& cell : plan.cells) {
        std::cout << cell.id << "   " << cell.train_images << " pictures x " << cell.settings.epochs
                  << " epochs, tested on";
        for (const protocol::Target& target : cell.targets) std::cout << ' ' << target.name;
        std::cout << (read_result(cell, plan.folder(cell)) ? "   finished" : "") << '\n';
    }
    for (const std::string& note : plan.notes) log_warning(note);
}

/// Many cores do more with several trainings at a time than with one.
int jobs_by_default() { return std::max(1, thread_count() / 4); }

int run_protocol(const ProtocolArguments& asked) {
    stop_trainings_on_signals();
    try {
        if (!asked.cell.empty()) {
            const protocol::Cell cell = protocol::read_cell(asked.out, asked.cell);
            run_cell(cell, std::filesystem::path(asked.out) / "cells" / cell.id);
            return 0;
        }
        const protocol::ProtocolSettings settings = protocol::ProtocolSettings::read(Config::read(asked.config));
        const FolderLock lock(asked.out, FolderLock::Wait::no);  // the plan writes the data
        const protocol::Plan plan = make_plan(settings, asked.out);
        if (asked.plan) {
            print_plan(plan);
            return 0;
        }
        std::vector<protocol::Failure> failures;
        if (!asked.tables)
            failures = run_cells(plan, {.command = cell_command(asked),
                                        .jobs = asked.jobs > 0 ? asked.jobs : jobs_by_default(),
                                        .threads = thread_count()});
        // Before the tables, which a full disk may not take either.
        for (const protocol::Failure& failure : failures) log_error(failure.cell + " failed: " + failure.reason);
        const protocol::TableReport report = make_tables(settings, plan);
        write_tables(report, asked.out);
        write_file_atomically(plan.out / "protocol.html", protocol_page(settings, plan, report));
        print("tables  " + (plan.out / "tables" / "tables.md").string());
        print("page    " + (plan.out / "protocol.html").string());
        return failures.empty() ? 0 : 1;
    } catch (const Interrupted&) {
        std::cerr << "stopped; the same command goes on where it was\n";
        return 130;
    }
}

}  // namespace

void add_protocol_command(CLI::App& app) {
    auto asked = std::make_shared<ProtocolArguments>();
    CLI::App* command = app.add_subcommand(
        "protocol", "train models on data sets, test them within and across, and make the papers' tables of it");
    auto* config =
        command->add_option("--config", asked->config, "TOML file: models, data, seeds, protocols, settings");
    command->add_option("--out", asked->out, "folder for cells, tables and page; what is finished there is kept")
        ->required();
    command->add_option("--jobs", asked->jobs, "trainings at a time; they share the threads")
        ->check(CLI::Range(1, 256));
    command->add_flag("--plan", asked->plan, "only say what would be trained");
    command->add_flag("--tables", asked->tables, "only make the tables, of what is finished");
    command->add_option("--cell", asked->cell, "only run this training of the plan that is there")->excludes(config);
    command->footer("Example: liven protocol --config protocol.toml --out runs/protocol --jobs 2");
    command->callback([&app, asked] {
        for (const char* flag : {"--strict-math", "--detect-anomaly"})
            if (app.count(flag)) asked->passed_on.emplace_back(flag);
        if (const CLI::Option* verbose = app.get_option("--verbose"); verbose->count())
            asked->passed_on.insert(asked->passed_on.end(), {"--verbose", verbose->as<std::string>()});
        if (asked->config.empty() && asked->cell.empty()) throw CLI::RequiredError("--config");
        if (const int status = run_protocol(*asked)) throw CLI::RuntimeError(status);
    });
}

}  // namespace liven::cli
