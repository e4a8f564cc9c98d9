#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "liven/core/error.hpp"
#include "liven/io/suggest.hpp"
#include "liven/models/registry.hpp"
#include "liven/protocol/search.hpp"

namespace liven::protocol {
namespace {

double bound_from(std::string_view text, std::string_view whole) {
    double value = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || rest != text.data() + text.size() || !std::isfinite(value))
        throw Error("--vary", "expected NAME=LOW..HIGH, NAME=LOW..HIGH:log or :whole, got '" + std::string(whole) + "'",
                    "for example learning_rate=1e-5..1e-2:log");
    return value;
}

/// Settings that are numbers: their names as the configuration has them.
std::vector<std::string> numeric_settings() {
    return {"learning_rate",   "batch",        "accumulate",      "epochs",       "size",
            "crop_margin",     "minimum_rate", "warm_up",         "weight_decay", "momentum",
            "label_smoothing", "clip_norm",    "milestone_factor"};
}

bool is_setting(const std::string& name) {
    const auto names = numeric_settings();
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_whole_setting(const std::string& name) {
    static const std::set<std::string> whole{"batch", "accumulate", "epochs", "size", "warm_up"};
    return whole.count(name) != 0;
}

}  // namespace

SearchRange SearchRange::parse(std::string_view text) {
    const size_t equals = text.find('='), points = text.find("..");
    if (equals == std::string_view::npos || equals == 0 || points == std::string_view::npos || points < equals)
        bound_from("", text);
    SearchRange range{.name = std::string(text.substr(0, equals))};
    std::string_view high = text.substr(points + 2), kind;
    if (const size_t colon = high.find(':'); colon != std::string_view::npos) {
        kind = high.substr(colon + 1);
        high = high.substr(0, colon);
        if (kind != "log" && kind != "whole") bound_from("", text);
    }
    range.low = bound_from(text.substr(equals + 1, points - equals - 1), text);
    range.high = bound_from(high, text);
    range.logarithmic = kind == "log";
    range.whole = kind == "whole" || is_whole_setting(range.name);
    return range;
}

void SearchSettings::validate() const {
    const OptionMap options = model_info(base.model).options(base.model_options);
    std::set<std::string> names;
    if (ranges.empty()) throw Error("--vary", "expected at least one setting to vary", "learning_rate=1e-5..1e-2:log");
    for (const SearchRange& range : ranges) {
        if (!is_setting(range.name) && options.count(range.name) == 0) {
            std::vector<std::string> known = numeric_settings();
            for (const auto& [name, value] : options) known.push_back(name);
            throw Error("--vary", "'" + range.name + "' is no numeric setting and no option of " + base.model,
                        did_you_mean(range.name, known));
        }
        if (range.name == "epochs" && method == SearchMethod::halving)
            throw Error("--vary", "successive halving itself chooses the epochs");
        if (!names.insert(range.name).second) throw Error("--vary", "'" + range.name + "' is varied twice");
        if (!(range.low < range.high) || (range.logarithmic && range.low <= 0))
            throw Error("--vary",
                        "the bounds of '" + range.name + "' must ascend" + (range.logarithmic ? " from above 0" : ""));
    }
    if (trials < 1) throw Error("--trials", "expected 1 or more");
    if (keep < 2) throw Error("--keep", "expected 2 or more");
    if (by != "loss" && by != "acer" && by != "auc")
        throw Error("--by", "expected loss, acer or auc, got '" + by + "'");
    for (const bool upper : {false, true}) {
        std::vector<double> values;
        for (const SearchRange& range : ranges) values.push_back(upper ? range.high : range.low);
        settings_of_trial(*this, values).validate();
    }
}

TrainSettings settings_of_trial(const SearchSettings& settings, const std::vector<double>& values) {
    Config changes;
    for (size_t i = 0; i < values.size(); ++i) {
        const SearchRange& range = settings.ranges[i];
        if (!is_setting(range.name)) {
            Config as_text;  // the configuration's shortest text of a number, that reads back bit-equal
            as_text.set("x", values[i]);
            const std::string line = as_text.str();
            std::string number = line.substr(line.find('=') + 2);
            number.erase(number.find_last_not_of('\n') + 1);
            changes.set("model_options." + range.name, range.whole ? std::to_string(std::llround(values[i])) : number);
        } else if (range.whole) {
            changes.set(range.name, static_cast<int64_t>(std::llround(values[i])));
        } else {
            changes.set(range.name, values[i]);
        }
    }
    TrainSettings out = settings.base;
    out.read(changes);
    return out;
}

}  // namespace liven::protocol
