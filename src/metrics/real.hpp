#pragma once

#include <cstdint>

namespace liven {

/// A count as a term of a ratio.
inline double real(int64_t count) { return static_cast<double>(count); }

}  // namespace liven
