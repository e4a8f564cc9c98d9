#include <cerrno>
#include <csignal>
#include <exception>
#include <iostream>
#include <new>

#include "cli.hpp"
#include "kernels/tuning.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"
#include "liven/core/version.hpp"
#include "liven/graph/engine.hpp"
#include "src/core/writing.hpp"

namespace {

using namespace liven;

struct GlobalOptions {
    int threads = 0;
    std::string isa, executor;
    int verbose = -1;
    bool strict_math = false, detect_anomaly = false;
};

void add_global_options(CLI::App& app, GlobalOptions& options) {
    app.add_option("--threads", options.threads, "compute threads (default: the physical cores)")
        ->check(CLI::Range(1, 1024));
    app.add_option("--isa", options.isa, "kernels to use: baseline, avx2, avx512 (default: the best there is)");
    app.add_option("--executor", options.executor, "planned (the default) or reference");
    app.add_option("--verbose", options.verbose,
                   "0: results, warnings and errors (the default), 1: also kernels and why, 2: also times")
        ->check(CLI::Range(0, 2));
    app.add_flag("--strict-math", options.strict_math, "only kernels with the error of direct summation");
    app.add_flag("--detect-anomaly", options.detect_anomaly,
                 "name the first operation that makes a NaN or an infinity (slow)");
}

void apply(const GlobalOptions& options) {
    check_environment();
    if (options.threads > 0) set_thread_count(options.threads);
    if (!options.isa.empty()) set_active_isa(isa_from(options.isa));
    if (options.verbose >= 0) set_verbosity(options.verbose);
    if (!options.executor.empty()) {
        if (options.executor != "planned" && options.executor != "reference")
            throw Error("--executor", "expected planned or reference, got '" + options.executor + "'");
        set_executor_kind(options.executor == "reference" ? ExecutorKind::reference : ExecutorKind::planned);
    }
    Engine::current().set_strict_math(options.strict_math);
    Engine::current().set_detect_anomaly(options.detect_anomaly);
    if (!build_info().optimized)
        log_warning("this is a " + std::string(build_info().type) + " build: several times slower than Release");
}

int run(int argc, char** argv) {
    CLI::App app{"Liven: deep learning on the CPU for face liveness detection", "liven"};
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("-V,--version", std::string(version()));
    GlobalOptions options;
    add_global_options(app, options);
    app.parse_complete_callback([&] {
        apply(options);
        // A table that is not in order stops a program here and not after an hour; tune may be about to write it.
        if (!app.got_subcommand("tune")) kernels::active_tuning();
    });
    for (const auto add :
         {cli::add_train_command,    cli::add_evaluate_command, cli::add_predict_command,   cli::add_explain_command,
          cli::add_features_command, cli::add_report_command,   cli::add_protocol_command,  cli::add_search_command,
          cli::add_data_command,     cli::add_audit_command,    cli::add_summary_command,   cli::add_models_command,
          cli::add_plan_command,     cli::add_bench_command,    cli::add_tune_command,      cli::add_kernels_command,
          cli::add_ops_command,      cli::add_init_command,     cli::add_forward_command,   cli::add_grad_command,
          cli::add_version_command,  cli::add_help_command,     cli::add_completion_command})
        add(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::RuntimeError& status) {
        // A command that has said what is the matter (some pictures unreadable, training interrupted).
        return status.get_exit_code();
    } catch (const CLI::ParseError& error) {
        // CLI11 prints help and version to stdout and mistakes to stderr; every mistake is wrong usage.
        return app.exit(error) == 0 ? 0 : 2;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    // Writing into a closed pipe (| head) ends the program quietly, as with other tools.
    std::signal(SIGPIPE, SIG_DFL);
    try {
        const int status = run(argc, argv);
        errno = 0;
        std::cout.flush();
        if (!std::cout) throw_unwritable("the standard output", errno);
        return status;
    } catch (const Error& error) {
        std::cerr << "liven: " << error.what() << '\n';
    } catch (const std::bad_alloc&) {
        std::cerr << "liven: memory: the system has no more. Hint: use a smaller --batch or --size.\n";
    } catch (const std::exception& error) {
        std::cerr << "liven: " << error.what() << '\n';
    }
    return 1;
}
