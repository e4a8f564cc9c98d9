#include "attribute_text.hpp"

#include <array>
#include <sstream>

namespace liven::detail {
namespace {

/// What is said by saying nothing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kDefaults{{{"stride", "1x1"},
                                                                                   {"dilation", "1x1"},
                                                                                   {"groups", "1"},
                                                                                   {"middle_is_sum", "0"},
                                                                                   {"padding", "0"},
                                                                                   {"imm1", "0"},
                                                                                   {"key", "0"},
                                                                                   {"ceil_mode", "0"},
                                                                                   {"count_include_pad", "0"},
                                                                                   {"transpose_a", "0"},
                                                                                   {"transpose_b", "0"}}};

bool says_nothing(std::string_view name, std::string_view value) {
    for (const auto& [known, usual] : kDefaults)
        if (name == known && value == usual) return true;
    return false;
}

void append(std::string& text, std::string_view name, std::string_view value) {
    if (says_nothing(name, value)) return;
    if (!text.empty()) text += ' ';
    text.append(name).append("=").append(value);
}

}  // namespace

void AttributeText::field(std::string_view name, int64_t value) { fields_.emplace_back(name, std::to_string(value)); }

void AttributeText::field(std::string_view name, double value) {
    std::ostringstream text;
    text << value;
    fields_.emplace_back(name, text.str());
}

/// Fields from i on that make one word: a height and a width, four sides, the extents of a shape.
bool AttributeText::merge(size_t& i, std::string& text) const {
    const std::string& name = fields_[i].first;
    const auto value = [this](size_t at) { return fields_[at].second; };
    if (name.size() > 2 && name.ends_with("_h") && is(i + 1, name.substr(0, name.size() - 1) + "w")) {
        append(text, name.substr(0, name.size() - 2), value(i) + "x" + value(i + 1));
        i += 2;
        return true;
    }
    if (name == "top" && is(i + 1, "bottom") && is(i + 2, "left") && is(i + 3, "right")) {
        const bool same = value(i) == value(i + 1) && value(i) == value(i + 2) && value(i) == value(i + 3);
        append(text, "padding",
               same ? value(i) : value(i) + "," + value(i + 1) + "," + value(i + 2) + "," + value(i + 3));
        i += 4;
        return true;
    }
    if (!is(i + 1, name)) return false;
    std::string extents = value(i);
    for (++i; is(i, name); ++i) extents += "x" + value(i);
    append(text, name, extents);
    return true;
}

std::string AttributeText::str() const {
    std::string text;
    for (size_t i = 0; i < fields_.size();) {
        if (merge(i, text)) continue;
        append(text, fields_[i].first, fields_[i].second);
        ++i;
    }
    return text;
}

}  // namespace liven::detail
