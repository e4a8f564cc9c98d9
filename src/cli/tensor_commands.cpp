#include <filesystem>
#include <fstream>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/io/npy.hpp"
#include "liven/models/registry.hpp"
#include "liven/nn/objective.hpp"
#include "liven/train/model_file.hpp"

// init, forward, grad: for comparing with any framework.

namespace liven::cli {
namespace {

/// N x H x W x C (clips: N x T x H x W x C) float32, as the network sees it.
Tensor read_images(const std::string& path, const Shape& input) {
    const HostTensor x = read_npy(path);
    if (x.shape.rank() != input.rank() + 1 || x.dtype != DType::f32 || x.shape[0] < 1)
        throw Error(path, "expected N x " + input.str() + " float32, got " + x.shape.str() + " " +
                              std::string(name_of(x.dtype)));
    for (int axis = 0; axis < input.rank(); ++axis)
        if (x.shape[axis + 1] != input[axis])
            throw Error(path, "the model was built for " + input.str() + ", but the images are " + x.shape.str());
    return Tensor::share(x.data, x.shape);
}

Tensor read_classes(const std::string& path, int64_t count, int64_t classes) {
    const HostTensor y = read_npy(path);
    if (!(y.shape == Shape{count}) || (y.dtype != DType::i64 && y.dtype != DType::i32))
        throw Error(path, "expected " + std::to_string(count) + " classes of int64, got " + y.shape.str() + " " +
                              std::string(name_of(y.dtype)));
    std::vector<int32_t> values;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t value = y.dtype == DType::i64 ? y.values<int64_t>()[static_cast<size_t>(i)]
                                                    : y.values<int32_t>()[static_cast<size_t>(i)];
        if (value < 0 || value >= classes)
            throw Error(path, "class " + std::to_string(value) + " at " + std::to_string(i) + " lies outside 0.." +
                                  std::to_string(classes - 1));
        values.push_back(static_cast<int32_t>(value));
    }
    return Tensor::from(std::span<const int32_t>(values), {count});
}

int64_t classes_of(const ModelFileInfo& info) {
    const auto option = info.options.find("classes");
    return option == info.options.end() ? 2 : std::stoll(option->second);
}

bool is_classifier(Module& model) { return dynamic_cast<Classification*>(model.objective().get()) != nullptr; }

HostTensor to_host(const Tensor& tensor) { return HostTensor(tensor.shape(), tensor.data<float>()); }

}  // namespace

void add_init_command(CLI::App& app) {
    struct Options {
        ModelChoice model;
        uint64_t seed = 42;
        std::string output;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("init", "write an untrained model file");
    add_model_options(*command, options->model);
    command->add_option("--seed", options->seed, "of the initial weights");
    command->add_option("--output,-o", options->output, "model file to write")->required();
    command->footer("Example: liven init attacknet-v2.2 --seed 1 --output model.safetensors");
    command->callback([options] {
        require_target(options->output);
        const ModelInfo& info = model_info(options->model.name);
        const auto model = info.make(options->model.option_map());
        const Shape input = options->model.shape();
        model->seed(options->seed);
        model->build(batched(1, input));
        ModelFileInfo file;
        file.model = options->model.name;
        file.options = info.options(options->model.option_map());
        file.input = input;
        file.preprocess.height = static_cast<int>(input[-3]);
        file.preprocess.width = static_cast<int>(input[-2]);
        file.training = Json::object({{"seed", options->seed}, {"steps", 0}});
        save_model(options->output, *model, file);
    });
}

void add_forward_command(CLI::App& app) {
    struct Options {
        std::string model, input, output;
        bool all_layers = false, train_mode = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand(
        "forward",
        "what a network gives ('logits', of others 'output') for an array of images, and every layer's output");
    command->add_option("model", options->model, "model file")->required();
    command->add_option("--input", options->input, "x.npy: N x H x W x C float32, as the network sees it")->required();
    command->add_option("--output,-o", options->output, "out.npz to write")->required();
    command->add_flag("--all-layers", options->all_layers, "each layer's output under its name");
    command->add_flag("--train-mode", options->train_mode, "batch statistics and dropout");
    command->footer("Example: liven forward model.safetensors --input x.npy --output out.npz --all-layers");
    command->callback([options] {
        require_target(options->output);
        LoadedModel loaded = load_model(options->model);
        loaded.model->train(options->train_mode);
        const Tensor x = read_images(options->input, loaded.info.input);
        const NoGrad no_grad;
        NamedTensors arrays;
        // What a network gives that is no classifier has no name of its own.
        const std::string result = is_classifier(*loaded.model) ? "logits" : "output";
        if (options->all_layers) {
            Tensor output;
            const auto records = loaded.model->record_layers(x, output);
            std::vector<Value> outputs{output.value()};
            for (const Module::LayerRecord& record : records) outputs.push_back(record.output.value());
            Engine::current().evaluate(outputs);  // all of them in one plan
            for (const Module::LayerRecord& record : records) arrays[record.layer->path()] = to_host(record.output);
            arrays[result] = to_host(output);
        } else {
            arrays[result] = to_host((*loaded.model)(x));
        }
        write_npz(options->output, arrays);
    });
}

void add_grad_command(CLI::App& app) {
    struct Options {
        std::string model, input, target, output;
        float label_smoothing = 0;
        bool no_dropout = false, with_l2 = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("grad", "loss and the gradient of every parameter, in training mode");
    command->add_option("model", options->model, "model file")->required();
    command->add_option("--input", options->input, "x.npy: N x H x W x C float32")->required();
    command->add_option("--target", options->target, "y.npy: N classes, int64")->required();
    command->add_option("--output,-o", options->output, "grads.npz to write")->required();
    command->add_option("--label-smoothing", options->label_smoothing, "0 to below 1")->check(CLI::Range(0.0, 0.999));
    command->add_flag("--no-dropout", options->no_dropout, "keep every element");
    command->add_flag("--with-l2", options->with_l2, "add the L2 penalty to the loss");
    command->footer(
        "Example: liven grad model.safetensors --input x.npy --target y.npy --no-dropout --output grads.npz");
    command->callback([options] {
        require_target(options->output);
        LoadedModel loaded = load_model(options->model);
        if (options->no_dropout) {
            OptionMap kept = loaded.info.options;
            if (kept.contains("dropout")) kept["dropout"] = "0";
            const NamedTensors states = copy_states(*loaded.model);
            loaded.model = make_model(loaded.info.model, kept);
            loaded.model->build({1, loaded.info.input[0], loaded.info.input[1], loaded.info.input[2]});
            load_states(*loaded.model, states, options->model);
        }
        loaded.model->train();
        const Tensor x = read_images(options->input, loaded.info.input);
        const Tensor y = read_classes(options->target, x.shape()[0], classes_of(loaded.info));
        const auto objective = loaded.model->objective();
        Tensor loss = objective->pass(x, y, {.label_smoothing = options->label_smoothing}).loss();
        if (const Tensor penalty = l2_penalty(loaded.model->parameters()); options->with_l2 && penalty.defined())
            loss = loss + penalty;
        const auto parameters = loaded.model->parameters();
        const Gradients all = gradients(loss, parameters);
        std::vector<Value> wanted{loss.value()};
        for (size_t i = 0; i < all.size(); ++i) wanted.push_back(all.value(i));
        Engine::current().evaluate(wanted);
        NamedTensors arrays;
        arrays["loss"] = to_host(loss);
        for (size_t i = 0; i < all.size(); ++i) arrays[std::string(parameters[i].name())] = to_host(all[i]);
        write_npz(options->output, arrays);
    });
}

}  // namespace liven::cli
