#include "liven/core/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "src/core/console.hpp"
#include "src/core/progress_line.hpp"

namespace liven {
namespace {

constexpr double kRedrawSeconds = 0.1;
// The rate is that of the last half minute or so: early, slow steps are forgotten, and one slow step does not shake it.
constexpr double kRateSeconds = 30;

/// The locale's character set, by POSIX's order of precedence.
bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (!value || !*value) continue;
        std::string text(value);
        std::transform(text.begin(), text.end(), text.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
    }
    return false;
}

bool stderr_is_terminal() {
    const char* term = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && term && std::string_view(term) != "dumb";
}

int terminal_width() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double steady_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

ProgressDisplay ProgressDisplay::detect() {
    return {.terminal = stderr_is_terminal(),
            .unicode = locale_is_utf8(),
            .width = terminal_width(),
            .seconds = steady_seconds,
            .redraw = [](std::string_view text) { Console::instance().bar(text); },
            .end = [] { Console::instance().end_bar(); },
            .line = [](std::string_view text) { Console::instance().line(text); }};
}

struct Progress::State {
    State(Options wishes, ProgressDisplay page)
        : options(std::move(wishes)), display(std::move(page)), begin(display.seconds()), shown(begin), counted(begin) {
        line.title = options.title;
        line.total = options.total;
        line.unit = options.unit;
        line.seconds = -1;
    }

    void set(const Value& value) {
        for (auto& [name, old] : line.values)
            if (name == value.name) {
                old = value.value;
                return;
            }
        line.values.emplace_back(value.name, value.value);
    }

    void advance(int64_t steps) {
        line.done += steps;
        const double now = display.seconds();
        measure(now);
        if (now - shown < (display.terminal ? kRedrawSeconds : options.log_seconds)) return;
        shown = now;
        draw();
    }

    /// A running average of the rate whose memory is kRateSeconds of work, or all of it while there is less.
    void measure(double now) {
        const double span = now - counted;
        if (span < kRedrawSeconds / 2) return;  // too short to tell; the steps count next time
        const auto steps = static_cast<double>(line.done - counted_steps);
        const double memory = std::min(counted - begin, kRateSeconds);
        steps_per_second = (steps_per_second * memory + steps) / (memory + span);
        counted = now;
        counted_steps = line.done;
        line.items_per_second = steps_per_second * options.items_per_step;
        if (line.total > 0 && steps_per_second > 0)
            line.seconds = static_cast<double>(std::max<int64_t>(line.total - line.done, 0)) / steps_per_second;
    }

    void draw() const {
        if (display.terminal)
            display.redraw(with_bar(line, display.width, display.unicode));
        else
            display.line(without_bar(line));
    }

    void finish() {
        if (line.finished) return;
        const double taken = display.seconds() - begin;
        line.finished = true;
        line.seconds = taken;
        line.items_per_second = taken > 0 ? static_cast<double>(line.done) * options.items_per_step / taken : 0;
        draw();
        if (display.terminal) display.end();
    }

    Options options;
    ProgressDisplay display;
    std::mutex mutex;
    ProgressLine line;
    double begin, shown, counted;
    int64_t counted_steps = 0;
    double steps_per_second = 0;
};

Progress::Progress(Options options) : Progress(std::move(options), ProgressDisplay::detect()) {}

Progress::Progress(Options options, ProgressDisplay display)
    : state_(std::make_unique<State>(std::move(options), std::move(display))) {
    if (state_->display.terminal) state_->draw();
}

Progress::~Progress() {
    try {
        // Left early, the line keeps what it shows: a loop that was thrown out of has not finished.
        const std::lock_guard lock(state_->mutex);
        if (!state_->line.finished && state_->display.terminal) state_->display.end();
    } catch (...) {  // NOLINT(bugprone-empty-catch): a display that fails is not worth terminating for
    }
}

void Progress::update(std::span<const Value> values) {
    const std::lock_guard lock(state_->mutex);
    if (state_->line.finished) return;
    for (const Value& value : values) state_->set(value);
    state_->advance(1);
}

void Progress::advance(int64_t steps) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->line.finished) state_->advance(steps);
}

void Progress::finish() {
    const std::lock_guard lock(state_->mutex);
    state_->finish();
}

}  // namespace liven
