#include "liven/protocol/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "liven/core/error.hpp"
#include "liven/data/split.hpp"
#include "liven/io/suggest.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/recipe.hpp"
#include "published.hpp"

namespace liven::protocol {
namespace {

const std::vector<std::string> kQuestions{"within", "cross", "combined", "unseen-set", "unseen-type", "cross-type"};
const std::vector<std::string> kRules{"minimum-acer", "equal-error-rate"};
const std::vector<std::string> kUnitNames{"cells", "seeds", "folds"};  // in the order of Units

std::string listed(const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    return all;
}

/// One of the known, or an Error that says where the key stands and what was meant.
void require_known(const Config& config, const std::string& key, const std::string& name,
                   const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    throw Error(config.where(key), fmt::format("'{}' names '{}'; known are {}", key, name, listed(known)),
                did_you_mean(name, known));
}

template <class T>
void require_distinct(const Config& config, const std::string& key, const std::vector<T>& values) {
    if (values.empty()) throw Error(config.where(key), "'" + key + "' must name at least one");
    if (std::set<T>(values.begin(), values.end()).size() != values.size())
        throw Error(config.where(key), "'" + key + "' names something twice");
}

std::vector<std::string> model_names() {
    std::vector<std::string> names;
    for (const ModelInfo& info : models()) names.emplace_back(info.name);
    return names;
}

Questions questions_from(const Config& config) {
    const auto names = config.texts("protocols", {"within", "cross", "combined"});
    require_distinct(config, "protocols", names);
    for (const std::string& name : names) require_known(config, "protocols", name, kQuestions);
    const auto asked = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    return {.within = asked("within"),
            .cross = asked("cross"),
            .combined = asked("combined"),
            .unseen_set = asked("unseen-set"),
            .unseen_type = asked("unseen-type"),
            .cross_type = asked("cross-type")};
}

/// Names become folders and words of other names.
void require_usable_name(const Config& config, const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!plain || canonical(name).empty())
        throw Error(config.where("data." + name),
                    "'" + name + "' cannot name a data set: expected letters, digits, - and _");
    if (name == "combined" || name.rfind("all-but-", 0) == 0)
        throw Error(config.where("data." + name), "'" + name + "' is the name of sets that the protocol makes");
}

std::vector<NamedData> data_from(const Config& config, DataCheck check) {
    std::vector<NamedData> data;
    for (const std::string& key : config.keys()) {
        if (key.rfind("data.", 0) != 0) continue;
        const std::string name = key.substr(5), path = config.text(key, "");
        require_usable_name(config, name);
        if (check == DataCheck::must_exist && !std::filesystem::exists(path))
            throw Error(config.where(key), fmt::format("'{}' is '{}', which does not exist", key, path),
                        "paths start from where the program is called");
        for (const NamedData& other : data)
            if (canonical(other.name) == canonical(name))
                throw Error(config.where(key), "'" + name + "' and '" + other.name + "' are one name in the tables");
        data.push_back({.name = name, .path = path});
    }
    if (data.empty())
        throw Error("protocol", "the configuration names no data", "add a table: [data] with lines NAME = \"PATH\"");
    return data;
}

/// Keys that a training has but the protocol decides.
void refuse_own_keys(const Config& layer) {
    for (const char* key : {"seed", "data", "model", "allow_leak", "group_by"})
        if (layer.has(key))
            throw Error(layer.where(key), "'" + std::string(key) + "' is not a training's own here",
                        std::string("it stands at the top of the file") +
                            (std::string_view(key) == "seed" ? ": seeds = [42]" : ""));
}

/// The tables [prefix.NAME], each for a known name.
std::map<std::string, Config, std::less<>> layers(const Config& config, const std::string& prefix,
                                                  const std::vector<std::string>& known) {
    std::map<std::string, Config, std::less<>> out;
    for (const std::string& name : known) {
        const Config layer = config.section(fmt::format("{}.{}", prefix, name));
        refuse_own_keys(layer);
        out.emplace(name, layer);
    }
    for (const std::string& key : config.keys()) {
        if (key.rfind(prefix + '.', 0) != 0) continue;
        const bool belongs = std::any_of(known.begin(), known.end(), [&](const std::string& name) {
            return key.rfind(fmt::format("{}.{}.", prefix, name), 0) == 0;
        });
        if (belongs) continue;
        const std::string rest = key.substr(prefix.size() + 1), name = rest.substr(0, rest.rfind('.'));
        throw Error(config.where(key),
                    fmt::format("[{}.{}] is about '{}'; here are {}", prefix, name, name, listed(known)),
                    did_you_mean(name, known));
    }
    return out;
}

bool has_recipe(std::string_view model, std::string_view name) {
    return std::any_of(recipes().begin(), recipes().end(),
                       [&](const Recipe& recipe) { return recipe.model == model && recipe.name == name; });
}

/// "paper-k" is the recipe that paper K has for this set, or its combined one.
std::string resolved_recipe(const std::string& name, std::string_view model, std::string_view source) {
    if (name != "paper-k") return name;
    for (const Recipe& recipe : recipes())
        if (recipe.model == model && recipe.name.rfind("paper-k-", 0) == 0 &&
            canonical(recipe.name.substr(8)) == canonical(source))
            return std::string(recipe.name);
    throw Error("recipe", "paper K has no recipe for " + std::string(model) + " on '" + std::string(source) + "'",
                "its sets are own, replay-attack, csmad, 3dmad and msspoof");
}

}  // namespace

ProtocolSettings ProtocolSettings::read(const Config& config, DataCheck check) {
    ProtocolSettings s;
    s.models = config.texts("models", {});
    require_distinct(config, "models", s.models);
    for (const std::string& name : s.models) require_known(config, "models", name, model_names());
    s.data = data_from(config, check);
    s.seeds = config.integers("seeds", s.seeds);
    require_distinct(config, "seeds", s.seeds);
    if (*std::min_element(s.seeds.begin(), s.seeds.end()) < 0)
        throw Error(config.where("seeds"), "'seeds' must be 0 or more");
    s.folds = config.integer("folds", 0, {.min = 0, .max = 100});
    if (s.folds == 1) throw Error(config.where("folds"), "'folds' must be 0 (the sets' own split) or 2 and more");
    s.split_seed = static_cast<uint64_t>(config.integer("split_seed", 42, {.min = 0}));
    s.group_by = config.text("group_by", s.group_by, {"automatic", "subject", "video", "image"});
    s.allow_leak = config.text("allow_leak", "");
    s.questions = questions_from(config);
    s.threshold = config.text("threshold", kRules[0], kRules) == kRules[0] ? ThresholdRule::minimum_acer
                                                                           : ThresholdRule::equal_error_rate;
    s.compare = config.text("compare", s.compare, {"accuracy", "acer", "auc"});
    const std::string units = config.text("units", kUnitNames[0], kUnitNames);
    s.units = static_cast<Units>(std::find(kUnitNames.begin(), kUnitNames.end(), units) - kUnitNames.begin());
    s.resamples = config.integer("resamples", s.resamples, {.min = 2, .max = 1e6});
    s.all = config.section("train");
    refuse_own_keys(s.all);
    s.of_model = layers(config, "model", s.models);
    std::vector<std::string> sources;
    for (const NamedData& set : s.data) sources.push_back(set.name);
    if (s.questions.combined || s.questions.unseen_set) sources.emplace_back("combined");
    s.on_source = layers(config, "on", sources);
    config.refuse_unknown();
    if (s.data.size() < 2 && (s.questions.cross || s.questions.unseen_set || s.questions.cross_type))
        throw Error(config.where("protocols"), "another set to test on is asked for, but [data] names one only");
    for (const std::string& model : s.models)
        for (const std::string& source : sources) {
            TrainSettings settings = s.training(model, source, s.seeds[0]);
            settings.data = "given later";
            settings.validate();
        }
    return s;
}

Config ProtocolSettings::to_config() const {
    Config c;
    c.set("models", models);
    for (const NamedData& set : data) c.set("data." + set.name, set.path.string());
    c.set("seeds", seeds);
    c.set("folds", folds);
    c.set("split_seed", static_cast<int64_t>(split_seed));
    c.set("group_by", group_by);
    c.set("allow_leak", allow_leak);
    const bool asked[] = {questions.within,     questions.cross,       questions.combined,
                          questions.unseen_set, questions.unseen_type, questions.cross_type};
    std::vector<std::string> names;
    for (size_t i = 0; i < kQuestions.size(); ++i)
        if (asked[i]) names.push_back(kQuestions[i]);
    c.set("protocols", names);
    c.set("threshold", kRules[threshold == ThresholdRule::minimum_acer ? 0 : 1]);
    c.set("compare", compare);
    c.set("units", kUnitNames[static_cast<size_t>(units)]);
    c.set("resamples", resamples);
    c.set_section("train", all);
    for (const auto& [name, layer] : of_model) c.set_section("model." + name, layer);
    for (const auto& [name, layer] : on_source) c.set_section("on." + name, layer);
    return c;
}

TrainSettings ProtocolSettings::training(std::string_view model, std::string_view source, int64_t seed) const {
    std::vector<const Config*> layers{&all};
    if (const auto found = of_model.find(model); found != of_model.end()) layers.push_back(&found->second);
    if (const auto found = on_source.find(source); found != on_source.end()) layers.push_back(&found->second);
    std::string recipe = "default", where = "recipe";
    for (const Config* layer : layers) {
        recipe = layer->text("recipe", recipe);
        if (layer->has("recipe")) where = layer->where("recipe");
    }
    recipe = resolved_recipe(recipe, model, source);
    if (!has_recipe(model, recipe)) {
        std::vector<std::string> known;
        for (const Recipe& each : recipes())
            if (each.model == model) known.emplace_back(each.name);
        throw Error(where, "'recipe' is '" + recipe + "', but those of " + std::string(model) + " are " + listed(known),
                    did_you_mean(recipe, known));
    }
    TrainSettings settings = settings_of(model, recipe);
    for (const Config* layer : layers) settings.read(*layer);
    settings.recipe = recipe;
    settings.seed = static_cast<uint64_t>(seed);
    settings.group_by = group_by;
    settings.allow_leak = allow_leak;
    return settings;
}

}  // namespace liven::protocol
