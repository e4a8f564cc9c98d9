#include "liven/io/json.hpp"

#include <algorithm>
#include <cmath>

#include "liven/core/error.hpp"
#include "liven/io/suggest.hpp"
#include "src/io/json_text.hpp"

namespace liven {
namespace {

std::string kind(size_t index) {
    constexpr const char* names[] = {"null",   "a truth value", "an integer", "a number",
                                     "a text", "an array",      "an object"};
    return names[index];
}

[[noreturn]] void refuse(const std::string& expected, size_t index) {
    throw Error("json", "expected " + expected + ", got " + kind(index));
}

}  // namespace

/// Writes values; a struct so that it may look inside.
struct JsonText {
    std::string out;
    int indent = -1;

    void line(int depth) {
        if (indent < 0) return;
        out += '\n';
        out.append(static_cast<size_t>(depth * indent), ' ');
    }
    void write(const Json& json, int depth) {
        if (const auto* truth = std::get_if<bool>(&json.value_)) {
            out += *truth ? "true" : "false";
        } else if (const auto* whole = std::get_if<int64_t>(&json.value_)) {
            out += std::to_string(*whole);
        } else if (const auto* number = std::get_if<double>(&json.value_)) {
            if (!std::isfinite(*number))
                out += "null";
            else
                out += json.single_ ? io::shortest(static_cast<float>(*number)) : io::shortest(*number);
        } else if (const auto* text = std::get_if<std::string>(&json.value_)) {
            out += io::json_quoted(*text);
        } else if (const auto* elements = std::get_if<Json::Array>(&json.value_)) {
            list('[', ']', *elements, depth, [this, depth](const Json& element) { write(element, depth + 1); });
        } else if (const auto* members = std::get_if<Json::Object>(&json.value_)) {
            list('{', '}', *members, depth, [this, depth](const Json::Member& member) {
                out += io::json_quoted(member.first) + (indent < 0 ? ":" : ": ");
                write(member.second, depth + 1);
            });
        } else {
            out += "null";
        }
    }
    template <class List, class Write>
    void list(char open, char close, const List& values, int depth, Write write_one) {
        out += open;
        for (const auto& value : values) {
            if (&value != values.data()) out += ',';
            line(depth + 1);
            write_one(value);
        }
        if (!values.empty()) line(depth);
        out += close;
    }
};

Json Json::array(Array values) {
    Json out;
    out.value_ = std::move(values);
    return out;
}
Json Json::object(Object members) {
    Json out;
    out.value_ = std::move(members);
    return out;
}

bool Json::is_number() const {
    return std::holds_alternative<int64_t>(value_) || std::holds_alternative<double>(value_);
}

bool Json::boolean() const {
    if (const auto* truth = std::get_if<bool>(&value_)) return *truth;
    refuse("a truth value", value_.index());
}
int64_t Json::integer() const {
    if (const auto* whole = std::get_if<int64_t>(&value_)) return *whole;
    const auto* number = std::get_if<double>(&value_);
    if (number && std::trunc(*number) == *number && std::abs(*number) < 0x1p63) return static_cast<int64_t>(*number);
    refuse("an integer", value_.index());
}
double Json::number() const {
    if (const auto* whole = std::get_if<int64_t>(&value_)) return static_cast<double>(*whole);
    if (const auto* number = std::get_if<double>(&value_)) return *number;
    refuse("a number", value_.index());
}
const std::string& Json::text() const {
    if (const auto* text = std::get_if<std::string>(&value_)) return *text;
    refuse("a text", value_.index());
}
const Json::Array& Json::elements() const {
    if (const auto* elements = std::get_if<Array>(&value_)) return *elements;
    refuse("an array", value_.index());
}
const Json::Object& Json::members() const {
    if (const auto* members = std::get_if<Object>(&value_)) return *members;
    refuse("an object", value_.index());
}

const Json* Json::find(std::string_view key) const {
    const Object& all = members();
    const auto found = std::find_if(all.begin(), all.end(), [key](const Member& m) { return m.first == key; });
    return found == all.end() ? nullptr : &found->second;
}

const Json& Json::at(std::string_view key) const {
    if (const Json* found = find(key)) return *found;
    std::vector<std::string> keys;
    for (const Member& member : members()) keys.push_back(member.first);
    throw Error("json", "has no member '" + std::string(key) + "'", did_you_mean(key, keys));
}

Json& Json::operator[](std::string_view key) {
    if (is_null()) value_ = Object();
    if (const Json* found = find(key)) return const_cast<Json&>(*found);  // ours, and we are not const
    return std::get<Object>(value_).emplace_back(std::string(key), Json()).second;
}

void Json::push_back(Json value) {
    if (is_null()) value_ = Array();
    if (!is_array()) refuse("an array", value_.index());
    std::get<Array>(value_).push_back(std::move(value));
}

std::string Json::str(int indent) const {
    JsonText text{.out = {}, .indent = indent};
    text.write(*this, 0);
    return std::move(text.out);
}

}  // namespace liven
