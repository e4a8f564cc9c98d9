#pragma once

#include <string>
#include <string_view>

namespace liven {

/// A word of a command as a POSIX shell reads it back: quoted where it has to be.
std::string shell_quoted(std::string_view word);

}  // namespace liven
