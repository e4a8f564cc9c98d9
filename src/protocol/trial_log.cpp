#include "trial_log.hpp"

namespace liven::protocol {
namespace {

std::optional<double> number_from(const Json& line, std::string_view key) {
    const Json& value = line.at(key);
    return value.is_null() ? std::nullopt : std::optional(value.number());
}

Json json_of(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

Json json_of(const SearchSettings& settings, const Trial& trial) {
    Json values = Json::object();
    for (size_t i = 0; i < trial.values.size(); ++i) values[settings.ranges[i].name] = trial.values[i];
    return Json::object({{"rung", trial.rung},
                         {"trial", trial.number},
                         {"epochs", trial.epochs},
                         {"settings", values},
                         {"val_loss", json_of(trial.loss)},
                         {"val_acer", json_of(trial.acer)},
                         {"val_auc", json_of(trial.auc)},
                         {"failed", trial.failed}});
}

Trial trial_from(const SearchSettings& settings, const Json& line) {
    Trial trial{.rung = line.at("rung").integer(),
                .number = line.at("trial").integer(),
                .epochs = line.at("epochs").integer(),
                .values = {},
                .loss = number_from(line, "val_loss"),
                .acer = number_from(line, "val_acer"),
                .auc = number_from(line, "val_auc"),
                .failed = line.at("failed").text()};
    for (const SearchRange& range : settings.ranges)
        trial.values.push_back(line.at("settings").at(range.name).number());
    return trial;
}

}  // namespace liven::protocol
