#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "liven/io/json.hpp"
#include "liven/train/feature_map.hpp"
#include "samples.hpp"

namespace liven::cli {
namespace {

struct FeaturesArguments {
    std::string model, data, split = "all", out, method = "tsne", by = "attack";
    int64_t most = 1000, size = 32, batch = 16;
    FeatureMapOptions map;
    data::SplitOptions dividing;
    bool json = false;
};

FeatureRows rows_of(const FeaturesArguments& asked) {
    if (asked.model == "pixels")
        return pixel_features(evenly_chosen(pictures_of_split(asked.data, asked.split, asked.dividing), asked.most),
                              asked.size);
    LoadedModel loaded = load_model(asked.model);
    const data::Dataset set = samples_of_split(asked.data, asked.split, loaded.info);
    return network_features(loaded, evenly_chosen(set, asked.most), asked.batch);
}

Json json_of(const FeatureMap& map) {
    const auto value = [](const Measure& measure) { return measure ? Json(measure.value()) : Json(nullptr); };
    Json json = Json::object(
        {{"features", map.of.what}, {"samples", map.of.rows.rows}, {"separability", value(map.separability)}});
    if (!map.separability) json["undefined"] = map.separability.reason();
    Json by = Json::object();
    for (const auto& [name, measure] : map.by_dataset) by[name] = value(measure);
    if (!map.by_dataset.empty()) json["separability_by_dataset"] = by;
    return json;
}

void run_features(FeaturesArguments asked) {
    if (!asked.out.empty()) require_target(asked.out, {".svg"});
    asked.map.tsne = asked.method == "tsne";
    const FeatureMap map = feature_map(rows_of(asked), asked.map);
    const PointsBy by = asked.by == "class"     ? PointsBy::label
                        : asked.by == "dataset" ? PointsBy::dataset
                                                : PointsBy::attack_type;
    if (!asked.out.empty()) write_file_atomically(asked.out, report::standalone(svg(chart_of(map, by))));
    if (asked.json) return print(json_of(map).str());
    print(map.of.what + ", " + std::to_string(map.of.rows.rows) +
          " samples\nseparability (mean silhouette of the two classes, -1 to 1)  " + map.separability.str());
    for (const auto& [name, measure] : map.by_dataset) print("  in " + name + "  " + measure.str());
    if (!asked.out.empty()) print("map  " + asked.out);
}

}  // namespace

void add_features_command(CLI::App& app) {
    auto asked = std::make_shared<FeaturesArguments>();
    CLI::App* command = app.add_subcommand(
        "features", "how samples lie in a model's features, or in pixels: separability of the classes, and a map");
    command->add_option("model", asked->model, "model file; or the word pixels")->required();
    command->add_option("--data", asked->data, "manifest or folder of images")->required();
    command->add_option("--split", asked->split, "train, val, test or all")
        ->check(CLI::IsMember({"train", "val", "test", "all"}));
    command->add_option("-o,--out", asked->out, "the .svg to draw");
    command->add_option("--method", asked->method, "tsne or pca")->check(CLI::IsMember({"tsne", "pca"}));
    command->add_option("--by", asked->by, "what has a colour of its own: attack (its type), class or dataset")
        ->check(CLI::IsMember({"attack", "class", "dataset"}));
    command->add_option("--most", asked->most, "samples, evenly chosen")->check(CLI::Range(4, 20000));
    command->add_option("--size", asked->size, "of pixels: a side")->check(CLI::Range(4, 256));
    command->add_option("--seed", asked->dividing.seed, "of pixels: of the splits that the data does not state");
    command->add_option("--allow-leak", asked->dividing.allow_leak,
                        "of pixels: a split of data whose splits share groups, for this reason");
    command->add_option("--perplexity", asked->map.perplexity, "of t-SNE: about how many neighbours count")
        ->check(CLI::Range(1.0, 1000.0));
    command->add_option("--theta", asked->map.theta, "of t-SNE: 0 is exact, more is faster and rougher")
        ->check(CLI::Range(0.0, 1.0));
    command->add_option("--batch", asked->batch, "images at a time")->check(CLI::Range(1, 65536));
    command->add_flag("--json", asked->json, "one JSON object");
    command->footer("Example: liven features runs/first/model.safetensors --data faces --split test -o map.svg");
    command->callback([asked] { run_features(*asked); });
}

}  // namespace liven::cli
