#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/io/config.hpp"
#include "liven/io/file.hpp"
#include "src/io/json_text.hpp"

namespace liven {
namespace {

bool is_bare(std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

/// TOML's basic strings have JSON's escapes; JSON lets the delete character stand, TOML does not.
std::string toml_quoted(std::string_view text) {
    std::string out;
    for (char c : io::json_quoted(text)) out += c == '\x7f' ? std::string("\\u007F") : std::string(1, c);
    return out;
}

std::string toml(bool value) { return value ? "true" : "false"; }
std::string toml(int64_t value) { return std::to_string(value); }
std::string toml(double value) { return io::shortest(value); }
std::string toml(const std::string& value) { return toml_quoted(value); }
template <class T>
std::string toml(const std::vector<T>& values) {
    std::string out = "[";
    for (const T& value : values) out += (out.size() > 1 ? ", " : "") + toml(value);
    return out + "]";
}

std::string key_text(std::string_view key) {
    std::string out;
    while (!key.empty()) {
        const std::string_view part = key.substr(0, key.find('.'));
        out += (out.empty() ? "" : ".") + (is_bare(part) ? std::string(part) : toml_quoted(part));
        key.remove_prefix(std::min(key.size(), part.size() + 1));
    }
    return out;
}

void check_texts(const Config::Value& value, const std::string& key) {
    const auto check = [&key](const std::string& text) {
        if (!io::is_utf8(text)) throw Error("config", "the value of '" + key + "' is not UTF-8");
    };
    if (const auto* text = std::get_if<std::string>(&value)) check(*text);
    if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
        std::for_each(texts->begin(), texts->end(), check);
}

}  // namespace

void Config::set(std::string_view key, Value value) {
    const std::string name(key);
    if (name.empty() || name.front() == '.' || name.back() == '.' || name.find("..") != std::string::npos ||
        !io::is_utf8(name))
        throw Error("config", "'" + name + "' is no key: expected parts of UTF-8 text joined by points");
    check_texts(value, name);
    for (size_t point = name.find('.'); point != std::string::npos; point = name.find('.', point + 1))
        if (entries_.count(name.substr(0, point)) != 0)
            throw Error("config", "'" + name.substr(0, point) + "' is a value and cannot hold '" + name + "'");
    const auto below = entries_.lower_bound(name + ".");
    if (below != entries_.end() && below->first.substr(0, name.size() + 1) == name + ".")
        throw Error("config", "'" + name + "' is a table and cannot be a value");
    entries_[name].value = std::move(value);
}

void Config::set_section(std::string_view table, const Config& values) {
    for (const auto& [key, entry] : values.entries_) set(std::string(table) + '.' + key, entry.value);
}

std::string Config::str() const {
    // Keys outside tables come first, as TOML demands; then each table with its own keys.
    std::map<std::string, std::string> tables;
    for (const auto& [key, entry] : entries_) {
        const size_t point = key.rfind('.');
        const std::string table = point == std::string::npos ? "" : key.substr(0, point);
        const std::string name = point == std::string::npos ? key : key.substr(point + 1);
        tables[table] +=
            key_text(name) + " = " + std::visit([](const auto& value) { return toml(value); }, entry.value) + "\n";
    }
    std::string out;
    for (const auto& [table, lines] : tables) {
        if (!out.empty()) out += "\n";
        if (!table.empty()) out += "[" + key_text(table) + "]\n";
        out += lines;
    }
    return out;
}

void Config::write(const std::filesystem::path& path) const { write_file_atomically(path, str()); }

}  // namespace liven
