#include "src/core/console.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace liven {
namespace {

constexpr std::string_view kWipe = "\r\x1b[K";

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // nobody reads: messages are not worth an error
        text.remove_prefix(static_cast<size_t>(written));
    }
}

}  // namespace

Console& Console::instance() {
    // Never destroyed, for messages of late destructors; a bar still open at exit gets its line end.
    static Console* console = [] {
        std::atexit([] { Console::instance().end_bar(); });
        return new Console;
    }();
    return *console;
}

void Console::line(std::string_view text) {
    const std::lock_guard lock(mutex_);
    std::string out;
    if (!bar_.empty()) out += kWipe;
    out.append(text).append("\n").append(bar_);
    write_all(out);
}

void Console::bar(std::string_view text) {
    const std::lock_guard lock(mutex_);
    bar_ = text;
    write_all("\r" + bar_ + "\x1b[K");
}

void Console::end_bar() {
    const std::lock_guard lock(mutex_);
    if (bar_.empty()) return;
    bar_.clear();
    write_all("\n");
}

}  // namespace liven
