#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace liven {

/// A JSON value. Objects keep the order in which their keys were added, so that output reads as it was written.
///
///     Json line = Json::object({{"path", path}, {"score", 0.97}});
///     line["label"] = "bonafide";
///     std::cout << line.str() << '\n';
class Json {
public:
    using Array = std::vector<Json>;
    using Member = std::pair<std::string, Json>;
    using Object = std::vector<Member>;

    Json() = default;                    // null
    Json(std::nullptr_t) {}              // NOLINT(google-explicit-constructor): values read as literals
    Json(bool value) : value_(value) {}  // NOLINT
    Json(const char* text) : value_(std::string(text)) {}       // NOLINT
    Json(std::string text) : value_(std::move(text)) {}         // NOLINT
    Json(std::string_view text) : value_(std::string(text)) {}  // NOLINT
    template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Json(T value) {  // NOLINT
        if (std::in_range<int64_t>(value))
            value_ = static_cast<int64_t>(value);
        else
            value_ = static_cast<double>(value);
    }
    /// A NaN or an infinity is written as null: JSON has neither.
    template <class T>
    requires(std::is_floating_point_v<T>) Json(T value)  // NOLINT
        : value_(static_cast<double>(value)), single_(sizeof(T) == sizeof(float)) {}

    static Json array(Array values = {});
    static Json object(Object members = {});
    template <class Range>
    static Json array_of(const Range& values) {
        Array out;
        for (const auto& value : values) out.emplace_back(value);
        return array(std::move(out));
    }

    /// Throws Error with `source` and the byte offset: broken syntax, a key twice, more than 100 levels.
    static Json parse(std::string_view text, std::string_view source = "json");

    bool is_null() const { return value_.index() == 0; }
    bool is_object() const { return std::holds_alternative<Object>(value_); }
    bool is_array() const { return std::holds_alternative<Array>(value_); }
    bool is_number() const;
    bool is_text() const { return std::holds_alternative<std::string>(value_); }

    /// The value as that type; throws Error naming what it is instead. An integer is also a number; a number that is
    /// whole is also an integer.
    bool boolean() const;
    int64_t integer() const;
    double number() const;
    const std::string& text() const;
    const Array& elements() const;
    const Object& members() const;

    /// The member of an object, or nullptr.
    const Json* find(std::string_view key) const;
    /// The member of an object. Throws Error naming the nearest key when there is none such.
    const Json& at(std::string_view key) const;
    /// The member, added as null when absent; a null becomes an object.
    Json& operator[](std::string_view key);
    /// Appends to an array; a null becomes an array.
    void push_back(Json value);

    /// On one line, or indented by `indent` spaces a level. Numbers come back bit-equal; bytes that are not UTF-8 are
    /// replaced by U+FFFD.
    std::string str(int indent = -1) const;

private:
    std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
    bool single_ = false;  // a float: its shortest text is shorter than its double's
    friend struct JsonText;
};

}  // namespace liven
