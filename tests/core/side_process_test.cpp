#include "src/core/side_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "src/core/side_work.hpp"

using namespace liven;
using Catch::Contains;
using namespace std::chrono_literals;

namespace {

using Request = std::span<const uint8_t>;

SideProcess::Bytes side_bytes(std::string_view text) { return {text.begin(), text.end()}; }

std::string asked(SideProcess& process, std::string_view request) {
    const std::vector<char> answer = process.ask<char>(side_bytes(request), 1 << 20);
    return {answer.begin(), answer.end()};
}

/// One whose answers are what `work` makes of the request.
SideProcess beside(const std::function<SideProcess::Bytes(std::string)>& work, const SideLimits& limits = {}) {
    return SideProcess([work] { return [work](Request request) {
                                    return work({request.begin(), request.end()});
                                }; },
                       limits);
}

/// What is said when `work` runs beside.
std::string failure_of(const std::function<void()>& work, const SideLimits& limits = {}) {
    SideProcess process = beside(
        [work](const std::string&) {
            work();
            return side_bytes("survived");
        },
        limits);
    std::string first, second;
    try {
        return asked(process, "");
    } catch (const SideFailure& failure) {
        first = failure.what();
    }
    try {
        asked(process, "");
    } catch (const SideFailure& failure) {
        second = failure.what();
    }
    CHECK(first == second);  // it stays away
    CHECK(process.id() == -1);
    return first;
}

/// No process of this program's is left, neither running nor a zombie.
bool no_children() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

}  // namespace

TEST_CASE("A process beside answers one request after the other and is gone with its object") {
    {
        int asked_so_far = 0;
        SideProcess process = beside([asked_so_far](const std::string& text) mutable {
            return side_bytes(text + std::to_string(++asked_so_far));
        });
        CHECK(process.id() > 0);
        CHECK(process.id() != ::getpid());
        CHECK(asked(process, "a") == "a1");
        CHECK(asked(process, "") == "2");
        CHECK(asked(process, std::string(300'000, 'x')) == std::string(300'000, 'x') + "3");
        CHECK(asked_so_far == 0);
    }
    CHECK(no_children());
}

TEST_CASE("Answers of millions of elements arrive whole, and too many or half ones are refused") {
    SideProcess process = beside([](const std::string& count) {
        std::vector<uint32_t> numbers(std::stoul(count));
        std::iota(numbers.begin(), numbers.end(), 0U);
        SideProcess::Bytes out(numbers.size() * 4);
        if (!out.empty()) std::memcpy(out.data(), numbers.data(), out.size());
        return out;
    });
    std::vector<uint32_t> expected(3'000'017);
    std::iota(expected.begin(), expected.end(), 0U);
    CHECK(process.ask<uint32_t>(side_bytes("3000017"), 3'000'017) == expected);
    CHECK(process.ask<uint32_t>(side_bytes("0"), 0).empty());
    CHECK_THROWS_WITH(process.ask<uint32_t>(side_bytes("3000017"), 3'000'016), Contains("no answer"));
    SideProcess odd = beside([](const std::string&) { return side_bytes("abc"); });
    CHECK_THROWS_WITH(odd.ask<uint16_t>(side_bytes(""), 9), Contains("no answer"));
    CHECK(no_children());
}

TEST_CASE("What is thrown beside is told here, and the next request is answered") {
    SideProcess process = beside([](const std::string& text) -> SideProcess::Bytes {
        if (text == "long") throw std::runtime_error(std::string(10'000, 'y'));
        if (text == "memory") throw std::bad_alloc();
        throw std::runtime_error("no " + text);
    });
    CHECK_THROWS_AS(asked(process, "file"), SideRefusal);
    CHECK_THROWS_WITH(asked(process, "array"), "no array");
    CHECK_THROWS_WITH(asked(process, "long"), std::string(4096, 'y'));
    CHECK_THROWS_WITH(asked(process, "memory"), Contains("more memory"));
}

TEST_CASE("A crash, an exit or a kill beside is a sentence and no zombie") {
    CHECK(failure_of([] { ::raise(SIGSEGV); }) == "crashed (Segmentation fault)");
    CHECK(failure_of([] { ::raise(SIGFPE); }) == "crashed (Floating point exception)");
    CHECK(failure_of([] { std::abort(); }) == "crashed (Aborted)");
    CHECK(failure_of([] { throw 7; }) == "crashed (Aborted)");  // and does not go on here
    CHECK_THAT(failure_of([] { ::raise(SIGKILL); }), Contains("killed from outside") && Contains("memory"));
    CHECK(failure_of([] { ::_exit(3); }) == "ended without an answer (status 3)");
    CHECK(failure_of([] { ::close(3); }) == "ended without an answer (status 0)");
    CHECK_THAT(failure_of([] { ::close(3), ::pause(); }), Contains("killed"));
    CHECK(no_children());
}

TEST_CASE("What hangs or loops beside is ended at the limit") {
    const SideLimits brief{.answer = 150ms};
    for (const auto& work : {std::function<void()>([] { ::pause(); }), std::function<void()>([] {
                                 for (volatile bool forever = true; forever;) {
                                 }
                             })})
        CHECK(failure_of(work, brief) == "did not finish within 0.15 s and was ended");
    CHECK(no_children());
}

TEST_CASE("A loop beside ends by itself when the program is gone, and one without a request at once") {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // orphans become this process's
    for (const bool loops : {true, false}) {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        const pid_t program = ::fork();
        if (program == 0) {
            SideProcess process = beside(
                [](const std::string&) -> SideProcess::Bytes {
                    ::kill(::getppid(), SIGKILL);
                    for (volatile bool forever = true; forever;) {
                    }
                    return {};
                },
                {.answer = 150ms});
            const pid_t id = process.id();
            if (::write(ends[1], &id, sizeof id) == sizeof id && loops) asked(process, "");
            ::kill(::getpid(), SIGKILL);
        }
        pid_t orphan = -1;
        CHECK(::read(ends[0], &orphan, sizeof orphan) == sizeof orphan);
        int status = 0;
        CHECK(::waitpid(program, &status, 0) == program);
        CHECK(WTERMSIG(status) == SIGKILL);
        CHECK(::waitpid(orphan, &status, 0) == orphan);
        CHECK((loops ? WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF : WIFEXITED(status)));
        ::close(ends[0]), ::close(ends[1]);
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    CHECK(no_children());
}

TEST_CASE("An answer that ends in the middle, or is no answer, is a failure") {
    const auto raw = [](const SideAnswerHead& head, size_t size) {
        return failure_of(
            [=] {
                std::vector<uint8_t> bytes(sizeof head + size);
                std::memcpy(bytes.data(), &head, sizeof head);
                if (::write(3, bytes.data(), bytes.size()) < 0) ::_exit(1);
                ::_exit(0);
            },
            {.answer = 5s});
    };
    CHECK(raw({.refused = 0, .size = 100}, 99) == "ended without an answer (status 0)");
    CHECK(raw({.refused = 1, .size = 100}, 99) == "ended without an answer (status 0)");
    CHECK(raw({.refused = 1, .size = 4097}, 4097) == "answered with what is no answer");
    CHECK(raw({.refused = 0, .size = ~uint64_t{0}}, 0) == "answered with what is no answer");
    const std::string nothing = failure_of([] { ::_exit(::write(3, "\1\0\0", 3) == 3 ? 0 : 1); });
    CHECK(nothing == "ended without an answer (status 0)");
}

// The address sanitizer ends the process by itself when there is no memory, which is a failure as well.
TEST_CASE("Memory beside is limited") {
    const auto map = [](size_t size) {
        void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::bad_alloc();
        ::munmap(at, size);
    };
    SideProcess process = beside(
        [map](const std::string& megabytes) {
            map(std::stoul(megabytes) << 20);
            return side_bytes("there");
        },
        {.memory = 64 << 20});
    CHECK(asked(process, "16") == "there");
    CHECK_THROWS_WITH(asked(process, "80"), Contains("more memory"));
    CHECK(asked(process, "16") == "there");
}

TEST_CASE("Beside there are no files, signals, messages or core files of the program's") {
    struct sigaction before {
    }, handler{};
    handler.sa_handler = [](int) { ::_exit(42); };
    ::sigaction(SIGSEGV, &handler, &before);
    const std::string crash = failure_of([] { ::raise(SIGSEGV); });
    ::sigaction(SIGSEGV, &before, nullptr);
    CHECK(crash == "crashed (Segmentation fault)");
    const std::ifstream open("/dev/null");
    SideProcess process = beside([](const std::string&) {
        std::string found;
        for (int file = 0; file < 200; ++file)
            if (::fcntl(file, F_GETFD) >= 0) found += std::to_string(file) + ' ';
        rlimit core{};
        ::getrlimit(RLIMIT_CORE, &core);
        std::fputs("this goes nowhere\n", stderr);
        return side_bytes(found + (core.rlim_cur == 0 ? "no core" : "core"));
    });
    CHECK(asked(process, "") == "0 1 2 3 no core");
    // Control-C at a terminal reaches both: the program decides.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::kill(process.id(), signal);
    CHECK(asked(process, "") == "0 1 2 3 no core");
    ::kill(process.id(), SIGKILL);
    CHECK_THROWS_WITH(asked(process, ""), Contains("killed from outside"));
}

TEST_CASE("Signals that interrupt the wait change nothing") {
    struct sigaction before {
    }, handler{};
    handler.sa_handler = [](int) {};  // without SA_RESTART
    ::sigaction(SIGALRM, &handler, &before);
    const itimerval often{{0, 2000}, {0, 2000}}, never{};
    ::setitimer(ITIMER_REAL, &often, nullptr);
    SideProcess process = beside(
        [](const std::string& text) {
            if (text.empty()) ::pause();
            ::usleep(30'000);
            return SideProcess::Bytes(1 << 20, uint8_t{5});
        },
        {.answer = 300ms});
    CHECK(process.ask<uint8_t>(side_bytes(std::string(1 << 19, 'a')), 1 << 20).size() == 1 << 20);
    CHECK_THROWS_WITH(asked(process, ""), Contains("did not finish"));
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &before, nullptr);
}

TEST_CASE("A program that leaves its children to the system gets answers and failures") {
    struct sigaction before {
    }, ignored{};
    ignored.sa_handler = SIG_IGN;
    ::sigaction(SIGCHLD, &ignored, &before);
    {
        SideProcess process = beside([](const std::string& text) { return side_bytes(text); });
        CHECK(asked(process, "a") == "a");
    }
    CHECK(failure_of([] { ::_exit(3); }) == "ended without an answer");
    ::sigaction(SIGCHLD, &before, nullptr);
}

TEST_CASE("A process that does not come up is tried again and then told of") {
    const auto prepare = []() -> SideProcess::Answer {
        ::pause();
        return {};
    };
    CHECK_THROWS_WITH(SideProcess(prepare, {.start = 20ms}), Contains("could not be started") && Contains("0.02 s"));
    const auto crash = []() -> SideProcess::Answer { throw std::runtime_error("no"); };
    CHECK_THROWS_WITH(SideProcess(crash), Contains("crashed (Aborted)"));
    CHECK(no_children());
}

TEST_CASE("Several stand beside each other, and one that ends does not hold another's socket") {
    std::vector<std::unique_ptr<SideProcess>> all;
    for (int i = 0; i < 4; ++i)
        all.push_back(
            std::make_unique<SideProcess>([i] { return [i](Request) { return side_bytes(std::to_string(i)); }; }));
    all[1].reset();
    ::kill(all[2]->id(), SIGKILL);
    CHECK_THROWS_AS(asked(*all[2], ""), SideFailure);
    CHECK(asked(*all[0], "") == "0");
    CHECK(asked(*all[3], "") == "3");
}

#ifndef __SANITIZE_ADDRESS__  // whose allocator of this age does not let go of its locks in a fork
TEST_CASE("Processes start from a program whose other threads allocate all the time") {
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            while (!stop) std::vector<std::string>(7, std::string(1000, 'z'));
        });
    for (int i = 0; i < 40; ++i) {
        SideProcess process = beside(
            [](const std::string& text) { return side_bytes(std::string(std::vector<std::string>(9, text).back())); });
        CHECK(asked(process, "a") == "a");
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
}
#endif
