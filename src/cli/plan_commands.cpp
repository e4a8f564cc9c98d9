#include <memory>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/plan.hpp"
#include "liven/io/file.hpp"
#include "shapes.hpp"
#include "timeline_file.hpp"
#include "work_profile.hpp"
#include "workload.hpp"

namespace liven::cli {
namespace {

struct PlanOptions {
    ModelChoice model;
    std::string mode = "train", after = "allocate", svg, trace, memory_limit;
    int64_t batch = 16;
    DType dtype = DType::f32;
    bool graphviz = false, shapes = false, memory = false, profile = false;
};

void report_memory(Workload& work, const std::string& svg) {
    if (Engine::current().options().executor == ExecutorKind::reference)
        throw Error("--memory", "the reference executor has no arena", "leave out --executor reference");
    const MemoryMap map = work.memory_map();
    print(map.str());
    if (!svg.empty()) write_file_atomically(svg, map.svg());
}

void report_runs(Workload& work, const PlanOptions& options) {
    const WorkProfile profile = WorkProfile::measure(work, thread_count());
    if (options.profile) print(profile.table());
    if (!options.trace.empty())
        write_timeline(options.trace, profile.timeline, profile.steps,
                       options.model.name + ' ' + options.mode + " batch " + std::to_string(options.batch));
}

/// What prints these shapes: the first line of a file in bench/shapes.
std::string shapes_command(const PlanOptions& options) {
    std::string command = "liven plan " + options.model.name + " --batch " + std::to_string(options.batch);
    if (options.mode != "train") command += " --mode " + options.mode;
    if (!options.model.input.empty()) command += " --input " + options.model.input;
    if (options.model.size > 0) command += " --size " + std::to_string(options.model.size);
    for (const std::string& option : options.model.options) command += " --option " + option;
    return command + " --shapes";
}

void run_plan_command(const PlanOptions& options) {
    const PlanStage stage = plan_stage_from(options.after);
    for (const std::string& file : {options.svg, options.trace})
        if (!file.empty()) require_target(file);
    const bool runs = options.profile || !options.trace.empty();
    if (runs) WorkProfile::require_times(options.profile ? "--profile" : "--trace");
    Workload work(options.model, {.batch = options.batch,
                                  .train = options.mode == "train",
                                  .dtype = options.dtype,
                                  .memory_limit = memory_limit_from(options.memory_limit, options.mode)});
    if (options.shapes) return print("# " + shapes_command(options) + '\n' + shapes_of(work.graph()));
    if (options.memory) report_memory(work, options.svg);
    if (runs) report_runs(work, options);
    if (!options.memory && !runs)
        print(explain(work.graph(), work.options(), {.after = stage, .graphviz = options.graphviz}));
}

}  // namespace

void add_plan_command(CLI::App& app) {
    auto options = std::make_shared<PlanOptions>();
    CLI::App* command = app.add_subcommand("plan", "how a model's step is computed, after any pass of the planner");
    add_model_options(*command, options->model);
    command->add_option("--mode", options->mode, "train or infer")->check(CLI::IsMember({"train", "infer"}));
    command->add_option("--batch", options->batch, "images")->check(CLI::Range(1, 65536));
    add_memory_limit_option(*command, options->memory_limit);
    add_dtype_option(*command, options->dtype);
    CLI::Option* after = command->add_option(
        "--after", options->after, "trace, differentiate, lower, simplify, rematerialize, fuse, schedule or allocate");
    CLI::Option* graphviz = command->add_flag("--graphviz", options->graphviz, "a drawing for dot instead of text");
    CLI::Option* shapes =
        command
            ->add_flag("--shapes", options->shapes,
                       "the operations with their extents and how often each occurs, for bench/shapes")
            ->excludes(after)
            ->excludes(graphviz);
    CLI::Option* memory =
        command->add_flag("--memory", options->memory, "the arena over time, and what makes its peak");
    command->add_option("--svg", options->svg, "with --memory: also draw every block into this file")
        ->needs(memory)
        ->check(not_empty);
    const std::vector<CLI::Option*> reports{
        memory, command->add_flag("--profile", options->profile, "run it: time of every step, beside the peaks"),
        command
            ->add_option("--trace", options->trace,
                         "run it: one run, thread by thread, into this file for chrome://tracing or Perfetto")
            ->check(not_empty)};
    for (CLI::Option* text : {after, graphviz, shapes})
        for (CLI::Option* report : reports) text->excludes(report);
    command->footer(
        "Example: liven plan attacknet-v2.2 --mode train --batch 16 --after fuse\n"
        "         liven plan attacknet-v2.2 --memory --svg arena.svg\n"
        "         liven plan attacknet-v2.2 --profile --trace step.json");
    command->callback([options] { run_plan_command(*options); });
}

}  // namespace liven::cli
