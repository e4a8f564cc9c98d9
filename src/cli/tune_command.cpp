#include <filesystem>
#include <memory>

#include "cli.hpp"
#include "kernels/tuning.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/progress.hpp"
#include "liven/io/file.hpp"
#include "src/plan/tune.hpp"
#include "workload.hpp"

namespace liven::cli {
namespace {

struct TuneChoice {
    ModelChoice model;
    std::string mode = "train", out;
    int64_t batch = 16;
    DType dtype = DType::f32;
    int rounds = 7;
};

void run_tune_command(const TuneChoice& choice) {
    const std::string path = choice.out.empty() ? environment_value("LIVEN_TUNING").value_or("") : choice.out;
    if (path.empty()) throw Error("tune", "expected a file to write", "give --out FILE, or name it in LIVEN_TUNING");
    require_target(path);
    kernels::TuningTable table =
        std::filesystem::exists(path) ? kernels::TuningTable::read(path) : kernels::TuningTable();
    kernels::set_active_tuning({});  // the problems of a plan made by estimates
    Workload work(choice.model, {.batch = choice.batch, .train = choice.mode == "train", .dtype = choice.dtype});
    std::unique_ptr<Progress> bar;
    detail::tune(work.graph(), work.options(),
                 {.rounds = choice.rounds,
                  .progress =
                      [&](int64_t done, int64_t total) {
                          if (!bar)
                              bar = std::make_unique<Progress>(
                                  Progress::Options{.title = "timing", .total = total, .unit = "problem"});
                          static_cast<void>(done);
                          bar->advance(1);
                      }},
                 table);
    bar.reset();
    write_file_atomically(path, table.str());
    print(path + ": times of " + std::to_string(table.size()) + " kernels over problems; LIVEN_TUNING=" + path +
          " makes plans by them");
}

}  // namespace

void add_tune_command(CLI::App& app) {
    auto choice = std::make_shared<TuneChoice>();
    CLI::App* command =
        app.add_subcommand("tune", "time the kernels a model can choose from, into a table that plans go by");
    add_model_options(*command, choice->model);
    command->add_option("--mode", choice->mode, "train or infer")->check(CLI::IsMember({"train", "infer"}));
    command->add_option("--batch", choice->batch, "images")->check(CLI::Range(1, 65536));
    add_dtype_option(*command, choice->dtype);
    command->add_option("--rounds", choice->rounds, "timings of each kernel, whose median counts")
        ->check(CLI::Range(1, 1000));
    command->add_option("--out", choice->out, "table to write or extend (default: what LIVEN_TUNING names)");
    command->footer(
        "Example: liven tune attacknet-v2.2 --batch 16 --out machine.tuning\n"
        "         LIVEN_TUNING=machine.tuning liven bench attacknet-v2.2");
    command->callback([choice] { run_tune_command(*choice); });
}

}  // namespace liven::cli
