#include <algorithm>
#include <cctype>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "cli.hpp"
#include "liven/core/bytes.hpp"
#include "liven/core/error.hpp"
#include "liven/core/progress.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/recipe.hpp"
#include "liven/train/trainer.hpp"
#include "src/core/writing.hpp"

namespace liven::cli {

Shape shape_from(const std::string& text) {
    Shape shape;
    const char *next = text.data(), *end = text.data() + text.size();
    while (next != end) {
        int64_t extent = 0;
        const auto [rest, status] = std::from_chars(next, end, extent);
        const bool more = rest != end && *rest == 'x';
        if (status != std::errc() || extent < 1 || (rest != end && !more) || (more && rest + 1 == end))
            throw Error("--input", "expected an extent like 256x256x3, got '" + text + "'");
        shape.append(extent);
        next = more ? rest + 1 : rest;
    }
    if (shape.rank() != 3 && shape.rank() != 4)
        throw Error("--input",
                    "expected height x width x channels like 256x256x3, or 5x224x224x3 for clips, got '" + text + "'");
    return shape;
}

void require_target(const std::string& path, const std::vector<std::string>& endings) {
    namespace fs = std::filesystem;
    std::string known, ending = fs::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const std::string& one : endings) known += (known.empty() ? "" : ", ") + one;
    if (!endings.empty() && std::find(endings.begin(), endings.end(), ending) == endings.end())
        throw Error(path, "expected a file that ends in " + known);
    std::error_code code;
    const fs::path folder = fs::absolute(path).parent_path();
    if (fs::is_directory(path, code)) throw Error(path, "expected a file to write, but it is a folder");
    if (!fs::is_directory(folder, code)) throw Error(path, "there is no folder " + folder.string());
    require_writable_place(path);
}

OptionMap option_map(const std::vector<std::string>& options) {
    OptionMap map;
    for (const std::string& option : options) {
        const size_t equals = option.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Error("--option", "expected name=value, got '" + option + "'");
        map[option.substr(0, equals)] = option.substr(equals + 1);
    }
    return map;
}

TrainSettings training_settings(const CLI::App& command, const std::string& model, const std::string& recipe,
                                const std::string& config_file) {
    Config config;
    if (!config_file.empty()) config = Config::read(config_file);
    const std::string named = command.count("--model") ? model : config.text("model", model);
    const std::string by = command.count("--recipe") ? recipe : config.text("recipe", recipe);
    TrainSettings settings = settings_of(named, by);
    settings.read(config);
    settings.model = named;
    settings.recipe = by;
    return settings;
}

Shape ModelChoice::shape() const {
    if (!input.empty()) return shape_from(input);
    const Shape& own = model_info(name).input;
    Shape shape;
    for (int axis = 0; axis < own.rank(); ++axis) {
        const bool side = axis == own.rank() - 3 || axis == own.rank() - 2;
        shape.append(side && size > 0 ? size : own[axis]);
    }
    return shape;
}
OptionMap ModelChoice::option_map() const { return cli::option_map(options); }

std::string not_empty(const std::string& text) { return text.empty() ? "expected more than nothing, got ''" : ""; }

void add_model_options(CLI::App& command, ModelChoice& choice) {
    command.add_option("model", choice.name, "name of a model (see liven models)")->required();
    CLI::Option* input = command
                             .add_option("--input", choice.input,
                                         "input extent, height x width x channels, e.g. 256x256x3 (clips: 5x224x224x3)")
                             ->check(not_empty);
    command.add_option("--size", choice.size, "input of this many pixels a side")
        ->check(CLI::Range(1, 16384))
        ->excludes(input);
    command.add_option("--option", choice.options, "option of the model, name=value; preset=paper for the paper's");
    add_backbone_option(command, choice.options);
}

void add_backbone_option(CLI::App& command, std::vector<std::string>& options) {
    command
        .add_option_function<std::string>(
            "--backbone", [&options](const std::string& name) { options.push_back("backbone=" + name); },
            "of resnet50-gru: v1.5 or keras-v1")
        ->check(CLI::IsMember({"v1.5", "keras-v1"}));
}

namespace {

void add_storage_option(CLI::App& command, const char* name, DType& dtype, const char* description) {
    command
        .add_option_function<std::string>(
            name, [&dtype](const std::string& type) { dtype = type == "bf16" ? DType::bf16 : DType::f32; }, description)
        ->check(CLI::IsMember({"f32", "bf16"}));
}

}  // namespace

void add_dense_weights_option(CLI::App& command, DType& dtype) {
    add_storage_option(
        command, "--dense-weights", dtype,
        "how the weights of wide dense layers are stored: f32, or bf16, which halves what one picture waits for");
}

void add_dtype_option(CLI::App& command, DType& dtype) {
    add_storage_option(command, "--dtype", dtype,
                       "how maps between steps are stored: f32, or bf16, half the memory; arithmetic stays in f32");
}

void add_memory_limit_option(CLI::App& command, std::string& limit) {
    command
        .add_option("--memory-limit", limit,
                    "what weights, moments, images and a training step may take together, e.g. 1GB: what exceeds it "
                    "is computed twice rather than held")
        ->check(not_empty);
}

int64_t memory_limit_from(const std::string& limit, const std::string& mode) {
    if (limit.empty()) return 0;
    if (mode != "train") throw Error("--memory-limit", "expected --mode train, got " + mode);
    return bytes_from("--memory-limit", limit);
}

void print(const std::string& text) {
    std::cout << text;
    if (text.empty() || text.back() != '\n') std::cout << '\n';
}

void stop_trainings_on_signals() {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { Trainer::request_stop(); });
}

std::function<void(int64_t done, int64_t total)> image_bar(std::unique_ptr<Progress>& bar, std::string title) {
    return [&bar, shown = int64_t{0}, title = std::move(title)](int64_t done, int64_t total) mutable {
        if (!bar) bar = std::make_unique<Progress>(Progress::Options{.title = title, .total = total, .unit = "img"});
        bar->advance(done - shown);
        shown = done;
    };
}

}  // namespace liven::cli
