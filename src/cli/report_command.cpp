#include "cli.hpp"
#include "liven/core/log.hpp"
#include "liven/io/file.hpp"
#include "liven/protocol/page.hpp"
#include "src/core/writing.hpp"

namespace liven::cli {
namespace {

/// In a run's folder, or beside a file of scores.
std::filesystem::path default_page(const std::filesystem::path& run) {
    if (!std::filesystem::is_regular_file(run)) return run / "report.html";
    std::filesystem::path page = run;
    return page.replace_extension(".html");
}

}  // namespace

void add_report_command(CLI::App& app) {
    struct Options {
        std::vector<std::string> runs;
        std::string out;
        ReportOptions report;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("report", "one HTML file about trained models: measures, curves, tests across sets, data");
    command->add_option("runs", o->runs, "folders of trainings and of protocols, and files of liven evaluate --scores")
        ->required();
    command->add_option("-o,--out", o->out, "the file to write; by default report.html in the first run's folder");
    command->add_option("--threshold", o->report.threshold,
                        "of score files that do not state theirs; chosen on validation scores");
    command->add_option("--title", o->report.title, "of the page");
    command->add_option("--resamples", o->report.bootstrap.resamples, "of the intervals' bootstrap")
        ->check(CLI::Range(2, 1000000));
    command->footer("Example: liven report runs/first runs/second -o report.html");
    command->callback([o] {
        const std::vector<std::filesystem::path> runs(o->runs.begin(), o->runs.end());
        const std::filesystem::path out = o->out.empty() ? default_page(runs.front()) : std::filesystem::path(o->out);
        if (o->out.empty())
            require_writable_place(out);
        else
            require_target(o->out);
        write_file_atomically(out, protocol::report_page(runs, o->report));
        print("report  " + out.string());
    });
}

}  // namespace liven::cli
