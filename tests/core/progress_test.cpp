#include "liven/core/progress.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "src/core/progress_line.hpp"

using namespace liven;

namespace {

/// A display whose clock the test turns by hand.
struct Page {
    double now = 0;
    int ends = 0;
    std::vector<std::string> drawn;

    ProgressDisplay display(bool terminal) {
        return {.terminal = terminal,
                .unicode = true,
                .width = 120,
                .seconds = [this] { return now; },
                .redraw = [this](std::string_view text) { drawn.emplace_back(text); },
                .end = [this] { ++ends; },
                .line = [this](std::string_view text) { drawn.emplace_back(text); }};
    }
};

ProgressLine example() {
    return {.title = "epoch  3/20",
            .done = 395,
            .total = 557,
            .unit = "img",
            .items_per_second = 98.2,
            .seconds = 41,
            .values = {{"loss", 0.4123}, {"acc", 0.871}}};
}

}  // namespace

TEST_CASE("A progress line shows share, count, rate, time left and values") {
    CHECK(with_bar(example(), 120, true) ==
          "epoch  3/20  ███████████████████░░░░░░░░░   70 %  395/557  98.2 img/s  0:41 left   loss 0.412  acc 0.871");
    CHECK(without_bar(example()) == "epoch  3/20   70 %  395/557  98.2 img/s  0:41 left   loss 0.412  acc 0.871");
}

TEST_CASE("Without UTF-8 the bar is ASCII") {
    CHECK_THAT(with_bar(example(), 120, false), Catch::Contains("  ###################---------  "));
}

TEST_CASE("A progress line never reaches the last column, whatever the width") {
    for (int width = 1; width <= 130; ++width) {
        const std::string text = with_bar(example(), width, true);
        int columns = 0;
        for (char c : text) columns += (c & 0xC0) != 0x80;
        CHECK(columns < width);
    }
}

TEST_CASE("A total of zero means unknown: a count and a rate, no bar and no end") {
    ProgressLine line{.title = "files", .done = 12, .unit = "file", .items_per_second = 3, .seconds = -1};
    CHECK(with_bar(line, 80, true) == "files  12  3.00 file/s");
}

TEST_CASE("More steps than the total stay at 100 %") {
    ProgressLine line{.title = "x", .done = 9, .total = 3, .unit = "it", .seconds = -1};
    CHECK(with_bar(line, 36, false) == "x  ####################  100 %  9/3");
}

TEST_CASE("Times and numbers are short") {
    CHECK(clock_text(0) == "0:00");
    CHECK(clock_text(41.4) == "0:41");
    CHECK(clock_text(3725) == "1:02:05");
    CHECK(clock_text(-3) == "0:00");
    CHECK(short_number(12412.3) == "12412");
    CHECK(short_number(98.24) == "98.2");
    CHECK(short_number(9.999) == "10.0");
    CHECK(short_number(0.98149) == "0.981");
}

TEST_CASE("On a terminal the line is redrawn ten times a second at most, and ended once") {
    Page page;
    {
        Progress bar({.title = "epoch 1/1", .total = 1000, .unit = "img", .items_per_step = 16}, page.display(true));
        for (int step = 0; step < 1000; ++step) {
            page.now += 0.01;
            bar.update({{"loss", 1.0 / (1 + step)}});
        }
        CHECK(page.drawn.size() <= 1 + 100);
        CHECK(page.drawn.size() >= 80);
        bar.finish();
        bar.finish();
    }
    CHECK(page.ends == 1);
    CHECK_THAT(page.drawn.back(), Catch::Contains("100 %  1000/1000  1600 img/s  0:10   loss 0.001"));
}

TEST_CASE("In a log a line comes every ten seconds and at the end") {
    Page page;
    Progress bar({.title = "epoch 1/1", .total = 100}, page.display(false));
    for (int step = 0; step < 100; ++step) {
        page.now += 0.5;
        bar.advance();
    }
    bar.finish();
    REQUIRE(page.drawn.size() == 6);
    CHECK(page.drawn.front() == "epoch 1/1   20 %  20/100  2.00 it/s  0:40 left");
    CHECK(page.drawn.back() == "epoch 1/1  100 %  100/100  2.00 it/s  0:50");
    CHECK(page.ends == 0);
}

TEST_CASE("An exception out of the loop ends the line where it stands") {
    Page page;
    try {
        Progress bar({.title = "epoch 1/1", .total = 10}, page.display(true));
        page.now += 1;
        bar.advance();
        throw std::runtime_error("out");
    } catch (const std::runtime_error&) {
        CHECK(page.ends == 1);
        CHECK_THAT(page.drawn.back(), Catch::Contains("1/10"));
    }
}

TEST_CASE("The time left follows the speed of late, not of the beginning") {
    Page page;
    Progress bar({.title = "", .total = 1000, .log_seconds = 0}, page.display(false));
    for (int step = 0; step < 10; ++step, bar.advance()) page.now += 1;      // a slow start
    for (int step = 0; step < 600; ++step, bar.advance()) page.now += 0.25;  // then 4 a second for 2.5 minutes
    // 390 steps are left at 4 a second: 97.5 s. The slow start is forgotten to within exp(-150 / 30) of its weight.
    CHECK_THAT(page.drawn.back(), Catch::Contains("1:38 left") || Catch::Contains("1:39 left"));
}

TEST_CASE("Steps of many threads are all counted") {
    Page page;
    Progress bar({.title = "t", .total = 4000}, page.display(false));
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) bar.update({{"i", static_cast<double>(i)}});
        });
    for (std::thread& thread : threads) thread.join();
    bar.finish();
    CHECK_THAT(page.drawn.back(), Catch::Contains("4000/4000"));
}
