#include <iostream>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/protocol/search.hpp"
#include "liven/train/settings.hpp"
#include "liven/train/trainer.hpp"
#include "src/io/shell.hpp"

namespace liven::cli {
namespace {

struct SearchArguments {
    std::string model = "attacknet-v2.2", recipe = "default", data, config, out, allow_leak, method = "random";
    int64_t epochs = 0, size = 0;
    std::vector<std::string> options, vary;
    protocol::SearchSettings search;
};

/// Recipe, then configuration file, then what the command line names.
TrainSettings base_of(const CLI::App& command, const SearchArguments& asked) {
    TrainSettings settings = training_settings(command, asked.model, asked.recipe, asked.config);
    if (!asked.data.empty()) settings.data = asked.data;
    if (asked.epochs > 0) settings.epochs = asked.epochs;
    if (asked.size > 0) settings.size = asked.size;
    if (!asked.allow_leak.empty()) settings.allow_leak = asked.allow_leak;
    for (const auto& [name, value] : option_map(asked.options)) settings.model_options[name] = value;
    return settings;
}

int run_search(const CLI::App& command, SearchArguments asked) {
    stop_trainings_on_signals();
    protocol::SearchSettings& settings = asked.search;
    settings.base = base_of(command, asked);
    settings.method = asked.method == "random" ? protocol::SearchMethod::random : protocol::SearchMethod::halving;
    for (const std::string& range : asked.vary) settings.ranges.push_back(protocol::SearchRange::parse(range));
    try {
        const protocol::SearchResult result = search(settings, asked.out);
        print(search_table(settings, result));
        if (!result.best) throw Error(asked.out, "every trial failed", "search.jsonl says why");
        print("best    trial " + std::to_string(result.best->number + 1) + ", by validation " + settings.by);
        print("train   liven train --config " + shell_quoted(result.config.string()) + " --out " +
              shell_quoted(asked.out + "/best"));
        return 0;
    } catch (const Interrupted&) {
        std::cerr << "stopped; the same command goes on where it was\n";
        return 130;
    }
}

}  // namespace

void add_search_command(CLI::App& app) {
    auto asked = std::make_shared<SearchArguments>();
    CLI::App* command =
        app.add_subcommand("search", "try settings on validation samples: the test samples are never touched");
    command->add_option("--model", asked->model, "name of a model (see liven models)");
    command->add_option("--data", asked->data, "manifest or folder of images");
    command->add_option("--out", asked->out, "folder for the trials; what is finished there is kept")->required();
    command
        ->add_option("--vary", asked->vary,
                     "a setting and its bounds: learning_rate=1e-5..1e-2:log, dropout=0.05..0.5, batch=4..32")
        ->required();
    command->add_option("--trials", asked->search.trials, "settings to draw")->check(CLI::Range(1, 100000));
    command
        ->add_option("--method", asked->method,
                     "random, or halving: short trainings of all, longer ones of the best, again and again")
        ->check(CLI::IsMember({"random", "halving"}));
    command->add_option("--keep", asked->search.keep, "halving: one in so many goes on, to so many times the epochs")
        ->check(CLI::Range(2, 100));
    command->add_option("--by", asked->search.by, "what decides on validation: loss, acer or auc")
        ->check(CLI::IsMember({"loss", "acer", "auc"}));
    command->add_option("--search-seed", asked->search.seed, "of what is drawn");
    command->add_option("--recipe", asked->recipe, "named settings to start from");
    command->add_option("--config", asked->config, "TOML file with settings, as for liven train");
    command->add_option("--epochs", asked->epochs, "of the longest trainings")->check(CLI::Range(1, 1000000));
    command->add_option("--size", asked->size, "pixels a side")->check(CLI::Range(8, 4096));
    command->add_option("--option", asked->options, "option of the model, name=value");
    command->add_option("--allow-leak", asked->allow_leak,
                        "use a manifest whose splits share groups, for this reason (it is recorded)");
    command->footer(
        "Example: liven search --model livenessnet --data faces --vary learning_rate=1e-5..1e-2:log dropout=0..0.5 "
        "--method halving --out runs/search");
    command->callback([command, asked] {
        if (const int status = run_search(*command, *asked)) throw CLI::RuntimeError(status);
    });
}

}  // namespace liven::cli
