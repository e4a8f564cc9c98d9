#include <ctime>
#include <filesystem>
#include <memory>

#include "cli.hpp"
#include "kernels/tuning.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/progress.hpp"
#include "liven/io/file.hpp"
#include "src/plan/tune.hpp"
#include "workload.hpp"

namespace liven::cli {
namespace {

struct TuneChoice {
    ModelChoice model;
    std::string mode = "train", out, as_default;
    int64_t batch = 16;
    DType dtype = DType::f32;
    int rounds = 7;
};

/// The file of default costs is compiled in: its text, in parts that compilers take as strings.
constexpr std::string_view kQuote = "R\"costs(", kUnquote = ")costs\",\n";

std::string quoted(const std::string& text) {
    constexpr size_t most = 32768;
    std::string out;
    for (size_t begin = 0, end = 0; begin < text.size(); begin = end) {
        end = text.size() - begin <= most ? text.size() : text.rfind('\n', begin + most) + 1;
        out.append(kQuote).append(text, begin, end - begin).append(kUnquote);
    }
    return out;
}

std::string unquoted(std::string_view text, const std::string& path) {
    std::string out;
    while (!text.empty()) {
        const size_t end = text.find(kUnquote);
        if (!text.starts_with(kQuote) || end == std::string_view::npos)
            throw Error(path, "expected default costs, which begin with " + std::string(kQuote),
                        "name kernels/conv2d/measured_costs.inc, or a file that is not there yet");
        out += text.substr(kQuote.size(), end - kQuote.size());
        text.remove_prefix(end + kUnquote.size());
    }
    return out;
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    std::tm date{};
    gmtime_r(&now, &date);
    char text[16];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &date)};
}

/// How a plan is timed, with a bar.
detail::TuneOptions timing(const TuneChoice& choice, std::unique_ptr<Progress>& bar) {
    return {.rounds = choice.rounds,
            .keeps_weights = choice.mode == "infer",
            .progress = [&bar](int64_t done, int64_t total) {
                if (!bar)
                    bar = std::make_unique<Progress>(
                        Progress::Options{.title = "timing", .total = total, .unit = "problem"});
                static_cast<void>(done);
                bar->advance(1);
            }};
}

Workload workload_of(const TuneChoice& choice) {
    return {choice.model, {.batch = choice.batch, .train = choice.mode == "train", .dtype = choice.dtype}};
}

/// Measures what kernels cost where nobody has tuned.
void measure_defaults(const TuneChoice& choice) {
    kernels::MeasuredCosts costs;
    if (std::filesystem::exists(choice.as_default))
        costs = kernels::MeasuredCosts::parse(unquoted(read_text_file(choice.as_default), choice.as_default),
                                              choice.as_default);
    kernels::set_active_tuning({});
    Workload work = workload_of(choice);
    std::unique_ptr<Progress> bar;
    detail::measure_costs(work.graph(), work.options(), timing(choice, bar), costs);
    bar.reset();
    costs.set_machine(active_isa(), today() + " " + std::string(cpu_name()));
    write_file_atomically(choice.as_default, quoted(costs.str()));
    print(choice.as_default + ": compile it in as kernels/conv2d/measured_costs.inc, and raise kernels/numerics.hpp");
}

void run_tune_command(const TuneChoice& choice) {
    if (!choice.as_default.empty()) return measure_defaults(choice);
    const std::string path = choice.out.empty() ? environment_value("LIVEN_TUNING").value_or("") : choice.out;
    if (path.empty()) throw Error("tune", "expected a file to write", "give --out FILE, or name it in LIVEN_TUNING");
    require_target(path);
    kernels::TuningTable table =
        std::filesystem::exists(path) ? kernels::TuningTable::read(path) : kernels::TuningTable();
    kernels::set_active_tuning({});  // the problems of a plan made by estimates
    Workload work = workload_of(choice);
    std::unique_ptr<Progress> bar;
    detail::tune(work.graph(), work.options(), timing(choice, bar), table);
    bar.reset();
    write_file_atomically(path, table.str());
    print(path + ": times of " + std::to_string(table.size()) + " pairs of kernel and problem; LIVEN_TUNING=" + path +
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
    CLI::Option* out =
        command->add_option("--out", choice->out, "table to write or extend (default: what LIVEN_TUNING names)")
            ->check(not_empty);
    command
        ->add_option("--as-default", choice->as_default,
                     "instead, for who builds Liven: time convolutions by themselves, as shares of the FMA peak, into "
                     "the file of default costs (kernels/conv2d/measured_costs.inc), for the ISA at hand")
        ->check(not_empty)
        ->excludes(out);
    command->footer(
        "Example: liven tune attacknet-v2.2 --batch 16 --out machine.tuning\n"
        "         LIVEN_TUNING=machine.tuning liven bench attacknet-v2.2");
    command->callback([choice] { run_tune_command(*choice); });
}

}  // namespace liven::cli
