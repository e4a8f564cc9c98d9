#include "liven/core/log.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "liven/core/environment.hpp"
#include "src/core/console.hpp"

namespace liven {
namespace {

using Sink = std::function<void(LogLevel, std::string_view)>;

struct Destination {
    std::mutex mutex;
    std::shared_ptr<const Sink> sink;
};

Destination& destination() {
    static Destination* it = new Destination;  // never destroyed: destructors of statics may still log
    return *it;
}

std::shared_ptr<const Sink> current_sink() {
    const std::lock_guard lock(destination().mutex);
    return destination().sink;
}

std::string_view prefix(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return "liven: ";
        case LogLevel::warning:
            return "liven: warning: ";
        default:
            return "";
    }
}

}  // namespace

bool log_shows(LogLevel level) {
    switch (level) {
        case LogLevel::detail:
            return verbosity() >= 1;
        case LogLevel::trace:
            return verbosity() >= 2;
        default:
            return true;
    }
}

void log_message(LogLevel level, std::string_view text) {
    if (!log_shows(level)) return;
    if (const auto sink = current_sink()) return (*sink)(level, text);  // outside the lock: a sink may log
    Console::instance().line(std::string(prefix(level)).append(text));
}

void set_log_sink(std::function<void(LogLevel, std::string_view)> sink) {
    auto shared = sink ? std::make_shared<const Sink>(std::move(sink)) : nullptr;
    const std::lock_guard lock(destination().mutex);
    destination().sink = std::move(shared);
}

}  // namespace liven
