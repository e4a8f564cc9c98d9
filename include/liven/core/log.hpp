#pragma once

#include <functional>
#include <string_view>

/// Messages for people, on stderr; results go to stdout and are not this file's business. A message may come from any
/// thread and never tears a progress bar: the bar steps aside and is drawn again below.
namespace liven {

enum class LogLevel {
    error,
    warning,
    info,
    detail,  ///< from LIVEN_VERBOSE=1: which ISA, which kernel, why not a faster one
    trace    ///< from LIVEN_VERBOSE=2: time and throughput of each node
};

/// True when a message of this level would be shown; ask before composing an expensive one.
bool log_shows(LogLevel level);

void log_message(LogLevel level, std::string_view text);
inline void log_error(std::string_view text) { log_message(LogLevel::error, text); }
inline void log_warning(std::string_view text) { log_message(LogLevel::warning, text); }
inline void log_info(std::string_view text) { log_message(LogLevel::info, text); }
inline void log_detail(std::string_view text) { log_message(LogLevel::detail, text); }
inline void log_trace(std::string_view text) { log_message(LogLevel::trace, text); }

/// Sends messages elsewhere (a test, a window); an empty function brings stderr back.
void set_log_sink(std::function<void(LogLevel, std::string_view)> sink);

}  // namespace liven
