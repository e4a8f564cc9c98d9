#pragma once

#include <string>
#include <utility>
#include <vector>

#include "liven/graph/operation.hpp"

namespace liven::detail {

/// An operation's attributes for people: "kernel=3x3 padding=1". Extents that belong together are put together, and
/// what changes nothing (a stride of 1, no padding, a switch that is off) is left out.
class AttributeText final : public FieldVisitor {
public:
    void field(std::string_view name, int64_t value) override;
    void field(std::string_view name, double value) override;
    std::string str() const;

private:
    using Field = std::pair<std::string, std::string>;
    bool merge(size_t& i, std::string& text) const;
    bool is(size_t i, std::string_view name) const { return i < fields_.size() && fields_[i].first == name; }

    std::vector<Field> fields_;
};

}  // namespace liven::detail
