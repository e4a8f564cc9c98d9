#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace liven {

/// stderr, shared by messages and the one progress bar that may stand on its last line.
class Console {
public:
    static Console& instance();

    /// A whole line. A bar on the last line is wiped first and drawn again after.
    void line(std::string_view text);
    /// Draws over the last line without ending it; one write, so that nothing flickers.
    void bar(std::string_view text);
    /// Ends the bar: what is drawn stays, the next output begins on a new line.
    void end_bar();

private:
    std::mutex mutex_;
    std::string bar_;
};

}  // namespace liven
