#include "liven/core/environment.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"
#include "liven/core/version.hpp"
#include "src/core/cores.hpp"

using namespace liven;

namespace {

/// Two cores of two hardware threads each, as Linux describes them.
class TwoCores {
public:
    TwoCores() : root_(std::filesystem::temp_directory_path() / ("liven_topology_" + std::to_string(::getpid()))) {
        for (int cpu = 0; cpu < 4; ++cpu) {
            const auto topology = root_ / ("cpu" + std::to_string(cpu)) / "topology";
            std::filesystem::create_directories(topology);
            std::ofstream(topology / "physical_package_id") << "0\n";
            std::ofstream(topology / "core_id") << cpu / 2 << "\n";
        }
    }
    ~TwoCores() { std::filesystem::remove_all(root_); }
    std::string path() const { return root_.string(); }

private:
    std::filesystem::path root_;
};

/// What the library logs while this object lives.
class Messages {
public:
    Messages() {
        set_log_sink([this](LogLevel, std::string_view text) { all += std::string(text) + "\n"; });
    }
    ~Messages() { set_log_sink({}); }
    std::string all;
};

}  // namespace

TEST_CASE("Threads follow physical cores, not hardware threads") {
    const TwoCores machine;
    CHECK(physical_cores({0, 1, 2, 3}, machine.path()) == 2);
    CHECK(physical_cores({0, 1}, machine.path()) == 1);
    CHECK(physical_cores({1, 2}, machine.path()) == 2);
}

TEST_CASE("A machine that does not describe its cores counts every CPU") {
    CHECK(physical_cores({0, 1, 5}, "/nowhere") == 3);
}

TEST_CASE("A container's CPU quota is rounded up to whole CPUs") {
    CHECK(quota_of("max 100000") == std::nullopt);
    CHECK(quota_of("-1 100000") == std::nullopt);
    CHECK(quota_of("") == std::nullopt);
    CHECK(quota_of("200000 100000") == 2);
    CHECK(quota_of("150000 100000") == 2);
    CHECK(quota_of("5000 100000") == 1);
}

TEST_CASE("At least one core can be used, and no more than there are CPUs") {
    CHECK(usable_cores() >= 1);
    CHECK(static_cast<size_t>(usable_cores()) <= allowed_cpus().size());
}

TEST_CASE("Settings can be overridden, and refuse values out of range") {
    const int before = thread_count();
    set_thread_count(3);
    CHECK(thread_count() == 3);
    CHECK_THROWS_WITH(set_thread_count(0), Catch::Contains("1 to 1024") && Catch::Contains("got 0"));
    CHECK_THROWS_AS(set_thread_count(1025), Error);
    CHECK_THROWS_AS(set_verbosity(3), Error);
    CHECK(thread_count() == 3);
    set_thread_count(before);
}

TEST_CASE("Every environment variable is listed with its choices and meaning") {
    for (const EnvironmentVariable& variable : environment_variables()) {
        CAPTURE(variable.name);
        CHECK(variable.name.starts_with("LIVEN_"));
        CHECK_FALSE(variable.choices.empty());
        CHECK_FALSE(variable.meaning.empty());
    }
}

TEST_CASE("A misspelt variable gets a warning") {
    const Messages messages;
    ::setenv("LIVEN_THREAD", "4", 1);
    check_environment();
    ::unsetenv("LIVEN_THREAD");
    CHECK_THAT(messages.all, Catch::Contains("LIVEN_THREAD is none of Liven's"));
}

TEST_CASE("Details show from verbosity 1, timings from 2") {
    const Messages messages;
    const int before = verbosity();
    set_verbosity(0);
    log_detail("kernel chosen");
    log_warning("always");
    set_verbosity(1);
    log_detail("kernel refused");
    log_trace("3 ms");
    set_verbosity(2);
    log_trace("4 ms");
    set_verbosity(before);
    CHECK(messages.all == "always\nkernel refused\n4 ms\n");
}

TEST_CASE("The build describes itself") {
    CHECK_THAT(std::string(version()), Catch::Matches("[0-9]+\\.[0-9]+\\.[0-9]+"));
    CHECK_FALSE(build_info().type.empty());
    CHECK_FALSE(build_info().compiler.empty());
    for (const BuildPart& part : build_info().parts) CHECK_FALSE(part.purpose.empty());
}
