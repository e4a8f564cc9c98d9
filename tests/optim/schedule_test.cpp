#include "liven/optim/schedule.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "liven/core/error.hpp"

using namespace liven;

TEST_CASE("A constant schedule stays") {
    CHECK(Schedule(0.5f)(0) == 0.5f);
    CHECK(Schedule::constant(0.5f)(1000000) == 0.5f);
}

TEST_CASE("A step schedule drops every so many steps") {
    const Schedule schedule = Schedule::step({.rate = 1, .every = 3, .factor = 0.5f});
    for (const auto& [step, rate] : {std::pair{0, 1.0f}, {2, 1.0f}, {3, 0.5f}, {5, 0.5f}, {6, 0.25f}})
        CHECK(schedule(step) == rate);
}

TEST_CASE("A multi-step schedule drops at its milestones") {
    const Schedule schedule = Schedule::multi_step({.rate = 1, .milestones = {5, 8, 12}, .factor = 0.25f});
    for (const auto& [step, rate] : {std::pair{4, 1.0f}, {5, 0.25f}, {7, 0.25f}, {8, 0.0625f}, {12, 0.015625f}})
        CHECK(schedule(step) == rate);
}

TEST_CASE("A cosine goes from the rate to the floor and stays") {
    const Schedule schedule = Schedule::cosine({.rate = 1, .steps = 10, .floor = 0.2f});
    CHECK(schedule(0) == 1.0f);
    CHECK(schedule(5) == Approx(0.6));
    CHECK(schedule(10) == Approx(0.2));
    CHECK(schedule(99) == Approx(0.2));
}

TEST_CASE("Warm-up grows linearly and reaches the schedule at its end") {
    const Schedule schedule = Schedule::step({.rate = 1, .every = 6, .factor = 0.5f}).with_warm_up(4);
    for (const auto& [step, rate] : {std::pair{0, 0.25f}, {2, 0.75f}, {3, 1.0f}, {4, 1.0f}, {6, 0.5f}})
        CHECK(schedule(step) == rate);
}

TEST_CASE("Inverse time is Keras' decay") { CHECK(Schedule::inverse_time({.rate = 1, .decay = 0.5f})(2) == 0.5f); }

TEST_CASE("Schedules refuse what makes no sense") {
    CHECK_THROWS_AS(Schedule::step({.every = 0}), Error);
    CHECK_THROWS_AS(Schedule::cosine({.steps = 0}), Error);
    CHECK_THROWS_AS(Schedule::multi_step({.milestones = {3, 2}}), Error);
    CHECK_THROWS_AS(Schedule().with_warm_up(-1), Error);
    CHECK_THROWS_AS(ReduceOnPlateau({.factor = 1.0f}), Error);
}

TEST_CASE("Reduce on plateau endures `patience` values without improvement") {
    ReduceOnPlateau plateau({.factor = 0.5f, .patience = 2, .min_delta = 0.01, .min_rate = 0.2f});
    float rate = 1;
    const auto next = [&](double loss) { return rate = plateau.update(loss, rate); };
    CHECK(next(1.0) == 1.0f);
    CHECK(next(0.995) == 1.0f);  // less than min_delta better
    CHECK(next(std::numeric_limits<double>::quiet_NaN()) == 1.0f);
    CHECK(next(1.1) == 0.5f);
    CHECK(next(0.5) == 0.5f);
    for (int i = 0; i < 2; ++i) CHECK(next(0.6) == 0.5f);
    CHECK(next(0.6) == 0.25f);
    for (int i = 0; i < 2; ++i) next(0.6);
    CHECK(next(0.6) == 0.2f);
}

TEST_CASE("Reduce on plateau goes on from a restored state as if nothing had happened") {
    const ReduceOnPlateau::Options options{.factor = 0.1f, .patience = 1, .cooldown = 2, .maximize = true};
    ReduceOnPlateau first(options);
    float rate = 1;
    for (const double auc : {0.5, 0.4, 0.4}) rate = first.update(auc, rate);
    CHECK(rate == Approx(0.1));
    ReduceOnPlateau second(options);
    second.restore(first.state());
    float again = rate;
    for (const double auc : {0.3, 0.3, 0.3, 0.3, 0.6, 0.3}) {
        rate = first.update(auc, rate);
        again = second.update(auc, again);
        CHECK(again == rate);
        CHECK(first.state() == second.state());
    }
}
