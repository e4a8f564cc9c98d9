#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/io/json.hpp"

namespace liven {
namespace {

constexpr size_t kMaxDepth = 100;  // writing and destroying a value recurse

/// Builds a Json from the parser's events; the values under construction lie on a stack.
class Builder {
public:
    Builder(Json& root, std::string_view source) : root_(root), source_(source) {}

    bool null() { return add(nullptr); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(int64_t value) { return add(value); }
    bool number_unsigned(uint64_t value) { return add(value); }
    bool number_float(double value, const std::string&) { return add(value); }
    bool string(std::string& text) { return add(std::move(text)); }
    template <class Binary>
    bool binary(Binary&) {
        return false;  // not in JSON text
    }
    bool start_object(size_t) { return open(Json::object()); }
    bool start_array(size_t) { return open(Json::array()); }
    bool key(std::string& text) {
        Level& level = levels_.back();
        if (!level.keys.insert(text).second) throw Error(source_, "the key '" + text + "' stands twice in one object");
        level.key = std::move(text);
        return true;
    }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
        throw Error(source_, "is not valid JSON at byte " + std::to_string(position));
    }

private:
    struct Level {
        Json::Object members;
        Json::Array elements;
        bool is_object;
        std::string key;
        std::unordered_set<std::string> keys;
    };

    bool add(Json value) {
        if (levels_.empty()) {
            root_ = std::move(value);
        } else if (Level& level = levels_.back(); level.is_object) {
            level.members.emplace_back(std::move(level.key), std::move(value));
        } else {
            level.elements.push_back(std::move(value));
        }
        return true;
    }
    bool open(const Json& empty) {
        if (levels_.size() == kMaxDepth) throw Error(source_, "is nested more than 100 levels deep");
        levels_.push_back({.members = {}, .elements = {}, .is_object = empty.is_object(), .key = {}, .keys = {}});
        return true;
    }
    bool close() {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        return add(level.is_object ? Json::object(std::move(level.members)) : Json::array(std::move(level.elements)));
    }

    Json& root_;
    std::string_view source_;
    std::vector<Level> levels_;
};

}  // namespace

Json Json::parse(std::string_view text, std::string_view source) {
    Json root;
    Builder builder(root, source);
    nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
    return root;
}

}  // namespace liven
