#include <algorithm>
#include <iomanip>
#include <optional>
#include <sstream>

#include "cli.hpp"
#include "kernels/conv2d/measured_costs.hpp"
#include "kernels/step.hpp"
#include "kernels/tuning.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/version.hpp"
#include "liven/io/json.hpp"
#include "liven/models/registry.hpp"
#include "liven/models/summary.hpp"
#include "liven/train/pretrained.hpp"
#include "liven/train/recipe.hpp"

// summary, models, version, kernels, help: what there is.

namespace liven::cli {
namespace {

Json layers_json(const ModelSummary& summary) {
    Json lines = Json::array();
    for (const LayerSummary& layer : summary.layers)
        lines.push_back(Json::object({{"name", layer.name},
                                      {"type", layer.type},
                                      {"output", Json::array_of(layer.output)},
                                      {"parameters", layer.parameters},
                                      {"trainable", layer.trainable},
                                      {"flops", layer.flops},
                                      {"activation_bytes", layer.activation_bytes}}));
    return lines;
}

std::string json_of(const ModelSummary& summary) {
    return Json::object(
               {{"model", summary.model},
                {"input", Json::array_of(summary.input)},
                {"parameters", Json::object({{"total", summary.parameters}, {"trainable", summary.trainable}})},
                {"flops", summary.flops},
                {"activation_bytes", summary.activation_bytes},
                // None of the models has a part that only training needs.
                {"inference", Json::object({{"parameters", summary.parameters}, {"flops", summary.flops}})},
                {"layers", layers_json(summary)}})
        .str();
}

std::vector<std::string_view> recipe_names(std::string_view model) {
    std::vector<std::string_view> names;
    for (const Recipe& recipe : recipes())
        if (recipe.model == model) names.push_back(recipe.name);
    return names;
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words) text += " " + std::string(word);
    return text;
}

std::string version_text() {
    std::ostringstream out;
    const BuildInfo& build = build_info();
    out << "liven " << version() << "\nbuild      " << build.type << ", " << build.compiler;
    if (!build.sanitizers.empty()) out << ", sanitizers " << build.sanitizers;
    out << "\nCPU        " << cpu_name() << "\nISA        " << name_of(active_isa()) << " (available:";
    for (Isa isa : available_isas()) out << ' ' << name_of(isa);
    out << ")\nthreads    " << thread_count() << '\n';
    for (const BuildPart& part : build.parts)
        out << std::left << std::setw(11) << part.name << (part.present ? "present" : "absent") << " (" << part.purpose
            << ")\n";
    return out.str();
}

/// Where the planner has the kernel's cost from.
std::string cost_source(const kernels::KernelInfo& kernel) {
    const size_t problems = kernels::active_tuning()->problems(kernel);
    const kernels::MeasuredCosts& costs = kernels::MeasuredCosts::built_in();
    const size_t shapes = costs.convolutions(kernel);
    std::string text;
    if (problems > 0) text += "measured over " + std::to_string(problems) + " problems, else ";
    if (shapes > 0) text += "by " + std::to_string(shapes) + " shapes, else ";
    return text + "estimated";
}

bool same_kernel(const kernels::KernelInfo& a, const kernels::KernelInfo& b) {
    return a.op == b.op && a.name == b.name;
}

/// A kernel's name and what it takes, then a line for each instruction set.
std::string kernel_table() {
    std::ostringstream out;
    const kernels::MeasuredCosts& costs = kernels::MeasuredCosts::built_in();
    const std::vector<kernels::KernelInfo>& all = kernels::registry();
    for (auto first = all.begin(); first != all.end(); ++first) {
        const auto same = [&](const kernels::KernelInfo& other) { return same_kernel(*first, other); };
        if (std::find_if(all.begin(), first, same) != first) continue;
        out << first->name << "\n    " << first->op << ": " << first->takes << '\n';
        for (auto kernel = first; kernel != all.end(); ++kernel)
            if (same(*kernel))
                out << "    " << std::left << std::setw(9) << name_of(kernel->isa) << "tile " << kernel->tile
                    << "; cost " << cost_source(*kernel) << '\n';
    }
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
        if (const std::string machine = costs.machine(isa); !machine.empty())
            out << "shapes of " << name_of(isa) << " were measured " << machine << '\n';
    return out.str();
}

}  // namespace

void add_summary_command(CLI::App& app) {
    auto choice = std::make_shared<ModelChoice>();
    auto json = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand("summary", "layers, parameters, FLOPs and activation memory of a model");
    auto weights = std::make_shared<std::string>();
    add_model_options(*command, *choice);
    command->add_option("--pretrained", *weights, "safetensors file with the encoder's weights: do they fit, by name?");
    command->add_flag("--json", *json, "one JSON object");
    command->footer("Example: liven summary attacknet-v2.2 --input 256x256x3");
    command->callback([choice, json, weights] {
        OptionMap options = choice->option_map();
        std::optional<Pretrained> pretrained;
        if (!weights->empty()) {
            pretrained.emplace(*weights);
            for (const auto& [name, value] : pretrained->options(choice->name)) options.try_emplace(name, value);
        }
        const auto model = make_model(choice->name, options);
        model->outline(batched(1, choice->shape()));
        const ModelSummary summary = summarize(*model, choice->name, choice->shape());
        std::string encoder;
        if (pretrained)
            encoder = "encoder from " + *weights + ": " + pretrained->match(*model).str() + "\n";
        else if (takes_pretrained(choice->name))
            encoder = "the encoder starts random: no --pretrained file\n";
        print(*json ? json_of(summary) : summary.table() + encoder);
    });
}

void add_models_command(CLI::App& app) {
    auto json = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand("models", "the models, with their options, defaults and recipes");
    command->add_flag("--json", *json, "one JSON object a line");
    command->footer("Example: liven models");
    command->callback([json] {
        for (const ModelInfo& info : models()) {
            Json options = Json::object();
            std::string listed;
            for (const auto& [name, value] : info.options({})) {
                options[name] = value;
                listed.append(" ").append(name).append("=").append(value);
            }
            if (*json)
                print(Json::object({{"name", info.name},
                                    {"title", info.title},
                                    {"summary", info.summary},
                                    {"input", Json::array_of(info.input)},
                                    {"options", options},
                                    {"recipes", Json::array_of(recipe_names(info.name))}})
                          .str());
            else
                print(std::string(info.name) + "   " + std::string(info.title) + ", " + std::string(info.summary) +
                      "\n    input " + info.input.str() + "   options" + listed + "\n    recipes" +
                      joined(recipe_names(info.name)));
        }
    });
}

void add_version_command(CLI::App& app) {
    CLI::App* command = app.add_subcommand("version", "version, build, CPU and optional parts");
    command->footer("Example: liven version");
    command->callback([] { print(version_text()); });
}

void add_kernels_command(CLI::App& app) {
    auto json = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand(
        "kernels", "every kernel: operation, what it takes, and for each ISA its tile and the source of its cost");
    command->add_flag("--json", *json, "one JSON object a line");
    command->footer("Example: liven kernels\nWhich one a model uses and why: LIVEN_VERBOSE=1 liven bench MODEL");
    command->callback([json] {
        if (!*json) return print(kernel_table());
        for (const kernels::KernelInfo& kernel : kernels::registry())
            print(Json::object({{"op", kernel.op},
                                {"isa", name_of(kernel.isa)},
                                {"name", kernel.name},
                                {"tile", kernel.tile},
                                {"takes", kernel.takes},
                                {"measured", kernels::active_tuning()->problems(kernel)},
                                {"measured_shapes", kernels::MeasuredCosts::built_in().convolutions(kernel)}})
                      .str());
    });
}

void add_help_command(CLI::App& app) {
    auto topic = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("help", "help on a topic: environment");
    command->add_option("topic", *topic, "environment")->required()->check(CLI::IsMember({"environment"}));
    command->footer("Example: liven help environment");
    command->callback([topic] {
        if (*topic != "environment") return;
        for (const EnvironmentVariable& variable : environment_variables())
            print(std::string(variable.name) + "   " + std::string(variable.choices) + "   (default " +
                  std::string(variable.fallback) + ")\n    " + std::string(variable.meaning));
    });
}

}  // namespace liven::cli
