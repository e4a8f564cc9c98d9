#include "liven/io/config.hpp"

#include <algorithm>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/io/suggest.hpp"
#include "src/io/json_text.hpp"
#include "src/io/names.hpp"

namespace liven {
namespace {

/// ("train", "epochs") of "train.epochs".
std::pair<std::string, std::string> split(std::string_view key) {
    const size_t point = key.rfind('.');
    if (point == std::string_view::npos) return {"", std::string(key)};
    return {std::string(key.substr(0, point)), std::string(key.substr(point + 1))};
}

std::string bounds(const char* kind, const ConfigRange& range) {
    const ConfigRange open;
    std::string out = kind;
    if (range.min > open.min) out += " of at least " + std::to_string(range.min);
    if (range.max < open.max)
        out += std::string(range.min > open.min ? " and" : " of") + " at most " + std::to_string(range.max);
    return out;
}

bool inside(double value, const ConfigRange& range) { return value >= range.min && value <= range.max; }

/// The nearest of the known names or, where none is near, all of them.
std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
    std::string hint = did_you_mean(name, known);
    if (!hint.empty() || known.empty()) return hint;
    hint = "known: ";
    for (const std::string& one : known) hint.append(&one == &known.front() ? "" : ", ").append(one);
    return hint;
}

/// An empty array has no type in TOML and fits every one.
bool is_empty_array(const Config::Value& value) {
    const auto* texts = std::get_if<std::vector<std::string>>(&value);
    return texts && texts->empty();
}

}  // namespace

const Config::Entry* Config::find(std::string_view key) const {
    asked_.emplace(key);
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
}

bool Config::has(std::string_view key) const { return find(key) != nullptr; }

std::string Config::where(std::string_view key) const {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.line == 0) return source_;
    return source_ + ":" + std::to_string(found->second.line) + ":" + std::to_string(found->second.column);
}

void Config::refuse(std::string_view key, const std::string& expected) const {
    throw Error(where(key), "'" + std::string(key) + "' must be " + expected);
}

bool Config::boolean(std::string_view key, bool otherwise) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    if (const auto* value = std::get_if<bool>(&entry->value)) return *value;
    refuse(key, "true or false");
}

int64_t Config::integer(std::string_view key, int64_t otherwise, ConfigRange range) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    const auto* value = std::get_if<int64_t>(&entry->value);
    if (value && inside(static_cast<double>(*value), range)) return *value;
    refuse(key, bounds("an integer", range));
}

double Config::number(std::string_view key, double otherwise, ConfigRange range) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    const auto* whole = std::get_if<int64_t>(&entry->value);
    const auto* real = std::get_if<double>(&entry->value);
    if (whole && inside(static_cast<double>(*whole), range)) return static_cast<double>(*whole);
    if (real && inside(*real, range)) return *real;  // a NaN is inside nothing
    refuse(key, bounds("a finite number", range));
}

std::string Config::text(std::string_view key, std::string otherwise, const std::vector<std::string>& choices) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    const auto* value = std::get_if<std::string>(&entry->value);
    if (!value) refuse(key, "a text in quotes");
    if (choices.empty() || std::find(choices.begin(), choices.end(), *value) != choices.end()) return *value;
    std::string all;
    for (const std::string& choice : choices) all += (all.empty() ? "" : ", ") + choice;
    throw Error(where(key), "'" + std::string(key) + "' is '" + *value + "', expected one of " + all,
                did_you_mean(*value, choices));
}

std::string Config::scalar(std::string_view key, std::string otherwise) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    if (const auto* value = std::get_if<std::string>(&entry->value)) return *value;
    if (const auto* value = std::get_if<bool>(&entry->value)) return *value ? "true" : "false";
    if (const auto* value = std::get_if<int64_t>(&entry->value)) return std::to_string(*value);
    if (const auto* value = std::get_if<double>(&entry->value)) return io::shortest(*value);
    refuse(key, "a single value");
}

std::vector<int64_t> Config::integers(std::string_view key, std::vector<int64_t> otherwise) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    if (is_empty_array(entry->value)) return {};
    if (const auto* values = std::get_if<std::vector<int64_t>>(&entry->value)) return *values;
    refuse(key, "an array of integers");
}

std::vector<double> Config::numbers(std::string_view key, std::vector<double> otherwise) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    if (is_empty_array(entry->value)) return {};
    if (const auto* values = std::get_if<std::vector<double>>(&entry->value)) {
        if (!std::all_of(values->begin(), values->end(), [](double x) { return inside(x, {}); }))
            refuse(key, "an array of finite numbers");
        return *values;
    }
    if (const auto* values = std::get_if<std::vector<int64_t>>(&entry->value)) {
        std::vector<double> out;
        for (int64_t value : *values) out.push_back(static_cast<double>(value));
        return out;
    }
    refuse(key, "an array of numbers");
}

std::vector<std::string> Config::texts(std::string_view key, std::vector<std::string> otherwise) const {
    const Entry* entry = find(key);
    if (!entry) return otherwise;
    if (const auto* values = std::get_if<std::vector<std::string>>(&entry->value)) return *values;
    refuse(key, "an array of texts in quotes");
}

Config Config::section(std::string_view table) const {
    Config out;
    out.source_ = source_;
    const std::string prefix = std::string(table) + '.';
    for (const auto& [key, entry] : entries_) {
        if (key.rfind(prefix, 0) != 0) continue;
        out.entries_.emplace(key.substr(prefix.size()), entry);
        asked_.emplace(key);
    }
    return out;
}

void Config::refuse_unknown() const {
    const Entry* first = nullptr;
    std::string key;
    for (const auto& [name, entry] : entries_) {
        if (asked_.count(name) != 0) continue;
        if (first && std::pair(first->line, first->column) <= std::pair(entry.line, entry.column)) continue;
        first = &entry;
        key = name;
    }
    if (!first) return;
    const auto [table, name] = split(key);
    std::vector<std::string> siblings;
    for (const std::string& asked : asked_)
        if (split(asked).first == table) siblings.push_back(split(asked).second);
    const std::string place = table.empty() ? " outside of every table" : " in [" + table + "]";
    // Where nothing of the table is known, the table itself may be the misspelt part.
    const std::vector<std::string> all(asked_.begin(), asked_.end());
    throw Error(where(key), "unknown key '" + name + "'" + place,
                siblings.empty() ? suggestion(key, all) : suggestion(name, siblings));
}

std::vector<std::string> Config::keys() const { return io::names_of(entries_); }

}  // namespace liven
