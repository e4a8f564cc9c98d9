#include "result_json.hpp"

#include "liven/core/error.hpp"

namespace liven::protocol {
namespace {

/// Texts that repeat, as the list of them and each one's place.
Json json_of_names(const std::vector<std::string>& names) {
    std::map<std::string, int64_t> places;
    Json list = Json::array(), index = Json::array();
    for (const std::string& name : names) {
        const auto [found, fresh] = places.try_emplace(name, static_cast<int64_t>(places.size()));
        if (fresh) list.push_back(name);
        index.push_back(found->second);
    }
    return Json::object({{"names", list}, {"index", index}});
}

std::vector<std::string> names_from(const Json& json) {
    const Json::Array& names = json.at("names").elements();
    std::vector<std::string> out;
    for (const Json& index : json.at("index").elements()) {
        const int64_t at = index.integer();
        if (at < 0 || at >= static_cast<int64_t>(names.size()))
            throw Error("result.json", "expected a place in the list of names, got " + std::to_string(at));
        out.push_back(names[static_cast<size_t>(at)].text());
    }
    return out;
}

Json json_of(const SetScores& set) {
    return Json::object({{"scores", Json::array_of(set.samples.scores)},
                         {"labels", Json::array_of(set.samples.labels)},
                         {"types", json_of_names(set.samples.attack_types)},
                         {"groups", json_of_names(set.groups)},
                         {"loss", set.loss},
                         {"broken", set.broken}});
}

int32_t label_from(const Json& json) {
    const int64_t label = json.integer();
    if (label != bonafide_class && label != attack_class)
        throw Error("result.json", "expected a class, 0 or 1, got " + std::to_string(label));
    return static_cast<int32_t>(label);
}

SetScores scores_from(const Json& json) {
    SetScores set;
    for (const Json& score : json.at("scores").elements()) set.samples.scores.push_back(score.number());
    for (const Json& label : json.at("labels").elements()) set.samples.labels.push_back(label_from(label));
    set.samples.attack_types = names_from(json.at("types"));
    set.groups = names_from(json.at("groups"));
    check(set.samples);
    if (set.groups.size() != set.samples.size())
        throw Error("result.json", "there are " + std::to_string(set.groups.size()) + " groups for " +
                                       std::to_string(set.samples.size()) + " scores");
    set.loss = json.at("loss").number();
    set.broken = json.at("broken").integer();
    return set;
}

/// JSON has no infinity.
double number_or(const Json& json, std::string_view key, double otherwise) {
    const Json& value = json.at(key);
    return value.is_null() ? otherwise : value.number();
}

}  // namespace

Json json_of(const CellResult& result) {
    Json epochs = Json::array(), targets = Json::object();
    for (const EpochFacts& e : result.epochs)
        epochs.push_back(Json::object({{"epoch", e.epoch},
                                       {"seconds", e.seconds},
                                       {"megabytes", e.megabytes},
                                       {"loss", e.loss},
                                       {"validation_loss", e.validation_loss}}));
    for (const auto& [name, scores] : result.targets) targets[name] = json_of(scores);
    return Json::object({{"key", result.key},
                         {"best_epoch", result.best_epoch},
                         {"validation_loss", result.validation_loss},
                         {"validation_accuracy", result.validation_accuracy},
                         {"parameters", result.parameters},
                         {"model_bytes", result.model_bytes},
                         {"epochs", epochs},
                         {"validation", json_of(result.validation)},
                         {"targets", targets}});
}

CellResult result_from(const Json& json) {
    CellResult result;
    result.key = json.at("key").text();
    result.best_epoch = json.at("best_epoch").integer();
    result.validation_loss = json.at("validation_loss").number();
    result.validation_accuracy = number_or(json, "validation_accuracy", 0);
    result.parameters = json.at("parameters").number();
    result.model_bytes = json.at("model_bytes").number();
    for (const Json& e : json.at("epochs").elements())
        result.epochs.push_back({.epoch = e.at("epoch").integer(),
                                 .seconds = e.at("seconds").number(),
                                 .megabytes = e.at("megabytes").number(),
                                 .loss = e.at("loss").number(),
                                 .validation_loss = e.at("validation_loss").number()});
    result.validation = scores_from(json.at("validation"));
    for (const auto& [name, scores] : json.at("targets").members()) result.targets.emplace(name, scores_from(scores));
    return result;
}

}  // namespace liven::protocol
