#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace liven {

/// Bounds of a number, both included.
struct ConfigRange {
    double min = -1.7976931348623157e308, max = 1.7976931348623157e308;
};

/// Settings read from TOML. Keys are dotted paths, "train.epochs" for `epochs` in the table `[train]`.
///
///     Config config = Config::read("config.toml");
///     options.epochs = config.integer("train.epochs", options.epochs, {.min = 1});
///     options.recipe = config.text("train.recipe", options.recipe, {"paper", "default"});
///     config.refuse_unknown();   // config.toml:7:1: unknown key 'epoch' in [train]. Hint: did you mean 'epochs'.
///
/// A value of another type, out of its range or not among its choices is an Error with file, line and column. The keys
/// asked for are remembered, which is how refuse_unknown() knows the others; so one Config serves one thread.
class Config {
public:
    using Value = std::variant<bool, int64_t, double, std::string, std::vector<bool>, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;
    Config() = default;
    /// Throws Error with file, line and column: broken TOML, dates, arrays of tables or of mixed types, more than 1
    /// MiB.
    static Config read(const std::filesystem::path& path);
    /// The same from memory; `source` stands in messages for the file.
    static Config parse(std::string_view toml, std::string_view source = "config");

    bool has(std::string_view key) const;
    /// The value of a key, or `otherwise` when it is absent. An integer is accepted where a number is asked for.
    bool boolean(std::string_view key, bool otherwise) const;
    int64_t integer(std::string_view key, int64_t otherwise, ConfigRange range = {}) const;
    double number(std::string_view key, double otherwise, ConfigRange range = {}) const;
    std::string text(std::string_view key, std::string otherwise, const std::vector<std::string>& choices = {}) const;
    /// A single value of any type, as text: 0.5 and "0.5" are the same.
    std::string scalar(std::string_view key, std::string otherwise) const;
    std::vector<int64_t> integers(std::string_view key, std::vector<int64_t> otherwise) const;
    std::vector<double> numbers(std::string_view key, std::vector<double> otherwise) const;
    std::vector<std::string> texts(std::string_view key, std::vector<std::string> otherwise) const;

    /// The keys of one table under their own names; messages about them still say where they stand. They count as asked
    /// for.
    Config section(std::string_view table) const;

    /// Throws Error at the first key nobody asked for, naming the nearest one that somebody did.
    void refuse_unknown() const;
    /// "config.toml:7:1", for messages about a key's value; the source alone when the key is absent.
    std::string where(std::string_view key) const;

    /// Sets or replaces. Throws Error when a part of the key is empty or the key is already a table, or its table a
    /// value.
    void set(std::string_view key, Value value);
    /// Sets all of `values` below one table: what `section` of that table gives then.
    void set_section(std::string_view table, const Config& values);
    /// All keys, sorted.
    std::vector<std::string> keys() const;
    /// TOML, keys sorted, the same text for the same values; numbers come back bit-equal.
    std::string str() const;
    /// Writes str() atomically.
    void write(const std::filesystem::path& path) const;

private:
    struct Entry {
        Value value;
        uint32_t line = 0, column = 0;
    };
    const Entry* find(std::string_view key) const;
    [[noreturn]] void refuse(std::string_view key, const std::string& expected) const;

    std::string source_ = "config";
    std::map<std::string, Entry, std::less<>> entries_;
    mutable std::set<std::string, std::less<>> asked_;
    friend struct ConfigParser;
};

}  // namespace liven
