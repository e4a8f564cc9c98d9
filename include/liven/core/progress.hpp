#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace liven {

/// Where a progress bar is drawn. `detect()` looks at stderr; tests bring their own clock and page.
struct ProgressDisplay {
    bool terminal = false;                         ///< redraw one line; otherwise whole lines, now and then
    bool unicode = false;                          ///< block characters; otherwise # and -
    int width = 80;                                ///< columns of the terminal
    std::function<double()> seconds;               ///< a clock that never goes back
    std::function<void(std::string_view)> redraw;  ///< terminal: replaces the last line
    std::function<void()> end;                     ///< terminal: ends that line
    std::function<void(std::string_view)> line;    ///< log: one more line

    static ProgressDisplay detect();
};

/// How far a loop has come, how fast it goes and when it ends:
///
///     Progress bar({.title = "epoch  3/20", .total = 557, .unit = "img", .items_per_step = 16});
///     for (...) bar.update({{"loss", loss}, {"acc", accuracy}});
///
///     epoch  3/20  ████████████████████░░░░░░░░  71 %  395/557  98 img/s  0:41 left   loss 0.412  acc 0.871
///
/// On a terminal the line is redrawn ten times a second at most; in a file or pipe a line comes every `log_seconds` and
/// at the end. All calls may come from any thread. Leaving the scope, by an exception too, ends the line where it
/// stands.
class Progress {
public:
    struct Options {
        std::string title{};
        int64_t total = 0;        ///< steps; 0: unknown, shown without bar and end
        std::string unit = "it";  ///< what the rate counts
        double items_per_step = 1;
        double log_seconds = 10;
    };
    struct Value {
        std::string_view name;
        double value = 0;
    };

    explicit Progress(Options options);
    Progress(Options options, ProgressDisplay display);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// One step done; the values replace those of the same name. They show in the order of their first update.
    void update(std::span<const Value> values);
    void update(std::initializer_list<Value> values) { update(std::span(values.begin(), values.size())); }
    /// `steps` steps done.
    void advance(int64_t steps = 1);
    /// Draws the last state with the time it took in place of the time left. Further calls do nothing.
    void finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace liven
