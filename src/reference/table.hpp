#pragma once

#include <string_view>

#include "src/reference/array.hpp"

namespace liven::reference {

/// The plain loops of a primitive operation, by the operation's name; null when it has none.
template <class T>
Function<T> function(std::string_view name);

extern template Function<float> function<float>(std::string_view);
extern template Function<double> function<double>(std::string_view);

}  // namespace liven::reference
