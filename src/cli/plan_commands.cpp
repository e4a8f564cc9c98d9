#include <memory>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/plan.hpp"
#include "liven/models/registry.hpp"
#include "liven/ops/loss.hpp"
#include "shapes.hpp"
#include "workload.hpp"

namespace liven::cli {

void add_plan_command(CLI::App& app) {
    struct Options {
        ModelChoice model;
        std::string mode = "train", after = "allocate";
        int64_t batch = 16;
        bool graphviz = false, shapes = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("plan", "how a model's step is computed, after any pass of the planner");
    add_model_options(*command, options->model);
    command->add_option("--mode", options->mode, "train or infer")->check(CLI::IsMember({"train", "infer"}));
    command->add_option("--batch", options->batch, "images")->check(CLI::Range(1, 65536));
    command->add_option("--after", options->after, "trace, differentiate, lower, simplify, fuse, schedule or allocate");
    command->add_flag("--graphviz", options->graphviz, "a drawing for dot instead of text");
    command->add_flag("--shapes", options->shapes,
                      "the operations with their extents and how often each occurs, for bench/shapes");
    command->footer("Example: liven plan attacknet-v2.2 --mode train --batch 16 --after fuse");
    command->callback([options] {
        const PlanStage stage = plan_stage_from(options->after);
        Workload work(options->model, options->batch, options->mode == "train");
        if (options->shapes) return print(shapes_of(work.graph()));
        print(explain(work.graph(), Engine::current().options(), {.after = stage, .graphviz = options->graphviz}));
    });
}

}  // namespace liven::cli
