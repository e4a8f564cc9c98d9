#include <map>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/sheet.hpp"
#include "liven/io/json.hpp"
#include "liven/metrics/scores.hpp"
#include "liven/train/explainer.hpp"
#include "samples.hpp"

namespace liven::cli {
namespace {

struct ExplainArguments {
    std::string model, out, chosen_class = "decided", layer;
    std::vector<std::string> images, methods{"grad-cam"};
    int64_t patch = 0, stride = 0;
    int side = 224;
    bool json = false, layers = false;
};

Explainer::Options options_of(const ExplainArguments& asked) {
    Explainer::Options options{.methods = {}, .layer = asked.layer, .patch = asked.patch, .stride = asked.stride};
    for (const std::string& method : asked.methods) options.methods.push_back(saliency::method_from(method));
    if (asked.chosen_class != "decided") options.label = asked.chosen_class == "attack" ? attack_class : bonafide_class;
    return options;
}

void print_layers(LoadedModel& loaded, bool json) {
    const std::string last = saliency::last_convolutional_map(*loaded.model, loaded.info.input);
    for (const saliency::LayerMap& map : saliency::maps_of(*loaded.model, loaded.info.input)) {
        const bool by_itself = map.layer == last;
        if (json)
            print(Json::object({{"layer", map.layer}, {"shape", map.shape.str()}, {"default", by_itself}}).str());
        else
            print(map.layer + "   " + map.shape.str() + (by_itself ? "   (looked at when no layer is named)" : ""));
    }
}

Json json_of(const std::string& path, const Explained& explained, const ModelFileInfo& info) {
    Json methods = Json::array();
    for (const saliency::Explanation& explanation : explained.explanations) {
        Json one = Json::object({{"method", std::string(name_of(explanation.method))}});
        if (!explanation.layer.empty()) one["layer"] = explanation.layer;
        methods.push_back(one);
    }
    return Json::object({{"path", path},
                         {"score", explained.score},
                         {"threshold", info.threshold.value},
                         {"label", info.classes[static_cast<size_t>(explained.decided)]},
                         {"explained", info.classes[static_cast<size_t>(explained.label)]},
                         {"methods", methods}});
}

void run_explain(const ExplainArguments& asked) {
    LoadedModel loaded = load_model(asked.model);
    if (asked.layers) return print_layers(loaded, asked.json);
    if (asked.images.empty()) throw Error("explain", "expected a picture", "--layers lists the model's maps");
    if (asked.out.empty()) throw Error("--out", "expected the picture to write", "-o out.png");
    require_target(asked.out, kPictureEndings);
    Explainer explainer(loaded, options_of(asked));
    data::Sheet sheet({.columns = 1 + static_cast<int>(asked.methods.size()), .side = asked.side, .lines = 2});
    for (const std::string& path : asked.images) {
        const data::Dataset samples = samples_of_file(path, 1, loaded.info);
        const Explained explained = explainer(samples.samples.at(0));
        add_rows(sheet, explained, std::filesystem::path(path).filename().string(), loaded.info);
        if (asked.json) print(json_of(path, explained, loaded.info).str());
    }
    data::write(sheet.image(), asked.out);
    if (!asked.json) print("explained  " + asked.out);
}

}  // namespace

void add_explain_command(CLI::App& app) {
    auto asked = std::make_shared<ExplainArguments>();
    CLI::App* command =
        app.add_subcommand("explain", "where in a picture a model sees what it decides by, as a picture");
    command->add_option("model", asked->model, "model file")->required();
    command->add_option("images", asked->images,
                        "picture files; for a model of clips video files or folders of frames");
    command->add_option("-o,--out", asked->out,
                        "the .png or .jpg to write: a row a picture, or a row a frame of a clip");
    command
        ->add_option("--method", asked->methods,
                     "one or several of grad-cam, gradient, guided, guided-grad-cam, occlusion, joined by commas")
        ->delimiter(',');
    command->add_option("--class", asked->chosen_class, "what is explained: attack, bonafide, or what was decided")
        ->check(CLI::IsMember({"decided", "attack", "bonafide"}));
    command->add_option("--layer", asked->layer, "whose map grad-cam looks at; by default the last convolutional one");
    command->add_option("--patch", asked->patch, "pixels a side that occlusion covers; 0: an eighth of the picture")
        ->check(CLI::Range(0, 16384));
    command->add_option("--stride", asked->stride, "pixels from one covered square to the next; 0: half a patch")
        ->check(CLI::Range(0, 16384));
    command->add_option("--side", asked->side, "pixels a side of each picture in the file")
        ->check(CLI::Range(64, 2048));
    command->add_flag("--layers", asked->layers, "list the maps within the model instead");
    command->add_flag("--json", asked->json, "a JSON object a picture: score, threshold, decision, layer");
    command->footer(
        "Example: liven explain runs/first/model.safetensors face.jpg -o why.png --method grad-cam,occlusion");
    command->callback([asked] { run_explain(*asked); });
}

}  // namespace liven::cli
