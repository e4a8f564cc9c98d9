#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace liven {

/// Options of a model as text, for model files, configurations and the command line: name -> value.
using OptionMap = std::map<std::string, std::string>;

/// Visits the fields of a model's options struct: the one description from which reading and writing come.
class OptionVisitor {
public:
    virtual void operator()(std::string_view name, float& value) = 0;
    virtual void operator()(std::string_view name, int64_t& value) = 0;
    virtual void operator()(std::string_view name, bool& value) = 0;
    virtual void operator()(std::string_view name, std::string& value) = 0;

protected:
    ~OptionVisitor() = default;
};

namespace detail {
/// Calls `visit` with a visitor that sets fields from the map; throws Error on an unknown name or a value that does not
/// parse.
void read_options(std::string_view model, const OptionMap& map, void* options, void (*visit)(void*, OptionVisitor&));
OptionMap write_options(void* options, void (*visit)(void*, OptionVisitor&));
}  // namespace detail

/// Sets the named fields of an options struct with `void visit(OptionVisitor&)`.
template <class Options>
Options options_from(std::string_view model, const OptionMap& map, Options options = {}) {
    detail::read_options(model, map, &options,
                         [](void* o, OptionVisitor& visitor) { static_cast<Options*>(o)->visit(visitor); });
    return options;
}
template <class Options>
OptionMap options_to_map(Options options) {
    return detail::write_options(&options,
                                 [](void* o, OptionVisitor& visitor) { static_cast<Options*>(o)->visit(visitor); });
}

}  // namespace liven
