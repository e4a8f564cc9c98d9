#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace liven {

/// The one exception type of Liven. `what()` is a single line: where, what was expected, what came, and a hint.
///
///     throw Error("conv2d", "weights expect 3 input channels (HWIO 3x3x3x16), but the input is 8x256x256x1 (NHWC)",
///                 "was the image read as grey?");
class Error : public std::runtime_error {
public:
    Error(std::string_view where, std::string_view what, std::string_view hint = {});

    /// The operation, file or option that failed.
    const std::string& where() const noexcept { return where_; }
    /// What the user can do about it; may be empty.
    const std::string& hint() const noexcept { return hint_; }

private:
    std::string where_;
    std::string hint_;
};

}  // namespace liven
