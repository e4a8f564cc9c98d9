namespace liven::io {
/// Where toml++ would assert.
struct UnexpectedToml {};
[[noreturn]] void refuse_unexpected_toml();
}  // namespace liven::io

// toml++ asserts what some broken files do not hold ("[=", "[[[") and, without assertions, takes it for granted: both
// end the program or worse. Thrown, it becomes an error like any other.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? void() : liven::io::refuse_unexpected_toml())
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <algorithm>
#include <string>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/io/config.hpp"
#include "liven/io/file.hpp"
#include "src/io/config_parser.hpp"

namespace liven {
void io::refuse_unexpected_toml() { throw UnexpectedToml{}; }

/// Flattens toml++'s tree into dotted keys.
struct ConfigParser {
    Config out;

    [[noreturn]] void fail(const toml::source_region& at, const std::string& what) const {
        throw Error(out.source_ + ":" + std::to_string(at.begin.line) + ":" + std::to_string(at.begin.column), what);
    }

    void add_table(const toml::table& table, const std::string& prefix) {
        for (const auto& [key, node] : table) {
            const std::string part(key.str());
            if (part.empty() || part.find('.') != std::string::npos)
                fail(key.source(), "key '" + part + "' is empty or contains a point");
            if (const toml::table* inner = node.as_table()) {
                add_table(*inner, prefix + part + ".");
            } else {
                const toml::source_region& at = key.source();
                out.entries_[prefix + part] = {
                    .value = value_of(node), .line = at.begin.line, .column = at.begin.column};
            }
        }
    }

    Config::Value value_of(const toml::node& node) const {
        if (const auto* truth = node.as_boolean()) return truth->get();
        if (const auto* whole = node.as_integer()) return whole->get();
        if (const auto* number = node.as_floating_point()) return number->get();
        if (const auto* text = node.as_string()) return text->get();
        if (const toml::array* array = node.as_array()) return array_of(*array);
        fail(node.source(), "dates and times have no meaning here; expected a truth value, number, text or array");
    }

    Config::Value array_of(const toml::array& array) const {
        if (array.empty()) return std::vector<std::string>{};
        if (array.is_homogeneous<bool>()) return elements<bool>(array);
        if (array.is_homogeneous<int64_t>()) return elements<int64_t>(array);
        if (array.is_homogeneous<std::string>()) return elements<std::string>(array);
        for (const toml::node& node : array)
            if (!node.is_number())
                fail(node.source(), "an array holds values of one type: truth values, numbers or texts");
        return elements<double>(array);
    }

    template <class T>
    static std::vector<T> elements(const toml::array& array) {
        std::vector<T> values;
        for (const toml::node& node : array) values.push_back(*node.value<T>());
        return values;
    }
};

Config Config::parse(std::string_view toml, std::string_view source) {
    constexpr size_t kMaxBytes = 1 << 20, kMaxParts = 16;
    if (toml.size() > kMaxBytes)
        throw Error(source, "has " + std::to_string(toml.size()) + " bytes, at most 1 MiB is read");
    if (io::longest_dotted_key(toml) > kMaxParts) throw Error(source, "has a key of more than 16 parts");
    if (const size_t at = io::first_foreign_byte(toml); at != std::string_view::npos)
        throw Error(std::string(source) + ':' + std::to_string(1 + std::count(toml.begin(), toml.begin() + at, '\n')),
                    "has a letter that is not ASCII outside quotes or behind a backslash",
                    "put keys and texts with such letters in quotes");
    ConfigParser parser;
    parser.out.source_ = source;
    try {
        parser.add_table(toml::parse(toml, source), "");
    } catch (const toml::parse_error& error) {
        parser.fail(error.source(), std::string(error.description()));
    } catch (const io::UnexpectedToml&) {
        throw Error(std::string(source), "is no valid TOML", "look for a bracket too many");
    }
    return std::move(parser.out);
}

Config Config::read(const std::filesystem::path& path) {
    return parse(read_text_file(path, uint64_t{1} << 20), path.string());
}

}  // namespace liven
