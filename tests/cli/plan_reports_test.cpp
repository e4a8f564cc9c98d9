#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "program.hpp"
#include "tests/occurrences.hpp"

// liven plan --memory, --profile and --trace.

using namespace liven;

namespace {

const std::string kSmall = "plan livenessnet --size 16 --batch 2 --threads 2";

}  // namespace

TEST_CASE("plan --memory prints arena and lower bound and draws each block of --after allocate") {
    for (const char* mode : {"train", "infer"}) {
        INFO(mode);
        const Folder folder;
        const std::string command = kSmall + " --mode " + mode;
        const Outcome outcome = liven_program(command + " --memory --svg " + (folder / "arena.svg"));
        CHECK(outcome.status == 0);
        CHECK(outcome.err.empty());
        const std::string allocated = liven_program(command + " --after allocate").out;
        const std::string allocation = allocated.substr(allocated.rfind("arena "));
        // The same words open both: "arena 1.23 MiB, largest live set 1.20 MiB".
        const std::string figures = allocation.substr(0, allocation.find(", scratch"));
        CHECK(outcome.out.rfind(figures, 0) == 0);
        for (const char* word : {"in use in segment", "segment", "together"}) CHECK(has(outcome.out, word));
        CHECK(has(outcome.out, std::string_view(mode) == "train" ? "workspaces" : "kept from run to run"));
        const std::string svg = contents_of(folder / "arena.svg");
        CHECK(count(svg, "<rect class=\"block ") == count(allocation, "   segments "));
        CHECK(has(svg, "</svg>"));
    }
}

TEST_CASE("plan --profile has the sums by kind, and one run is all of it") {
    const Outcome outcome = liven_program(kSmall + " --profile");
    CHECK(outcome.status == 0);
    CHECK(outcome.err.empty());
    for (const char* word : {"FMA peak", "memory peak", "of FMA", "of memory", "convolutions",
                             "dense layers and updates", "pointwise and pools", "other steps", "waiting", "100.0%"}) {
        INFO(word);
        CHECK(has(outcome.out, word));
    }
    // bench prints the same table.
    const Outcome bench = liven_program("bench livenessnet --size 16 --batch 2 --rounds 3 --profile");
    CHECK(has(bench.out, "dense layers and updates"));
}

TEST_CASE("plan --profile numbers its steps as --after schedule does") {
    // One thread waits for no other: however busy the machine, the convolutions are not among the shortest steps.
    const std::string command = "plan livenessnet --size 32 --batch 2 --threads 1";
    std::istringstream table(liven_program(command + " --profile").out);
    const std::string schedule = liven_program(command + " --after schedule").out;
    std::string line;
    while (std::getline(table, line) && !has(line, "step  kernel   module")) {
    }
    const size_t column = line.find("step  kernel");
    REQUIRE(column != std::string::npos);
    int64_t numbered = 0;
    while (std::getline(table, line) && !line.empty() && !has(line, "shorter steps")) {
        INFO(line);
        std::istringstream words(line.substr(column));
        int64_t step = -1;
        std::string kernel;
        REQUIRE((words >> step >> kernel));
        const size_t stage = schedule.find("  step " + std::to_string(step) + " stage ");
        REQUIRE(stage != std::string::npos);
        CHECK(has(schedule.substr(stage, schedule.find('\n', stage) - stage), "   " + kernel));
        ++numbered;
    }
    CHECK(numbered > 0);
}

TEST_CASE("plan --trace writes a Chrome trace of every step, thread by thread") {
    const Folder folder;
    CHECK(liven_program(kSmall + " --trace " + (folder / "run.json")).out.empty());
    const auto trace = nlohmann::json::parse(contents_of(folder / "run.json"));
    std::map<int, double> ended;
    std::map<int, std::string> threads;
    std::map<int64_t, int64_t> steps;
    for (const auto& event : trace.at("traceEvents")) {
        const int thread = event.at("tid");
        if (event.at("ph") == "M") {
            if (event.at("name") == "thread_name") threads[thread] = event.at("args").at("name");
            continue;
        }
        REQUIRE(event.at("ph") == "X");
        const double begin = event.at("ts"), duration = event.at("dur");
        CHECK(duration >= 0);
        // A difference of microseconds, added again: its last bit may differ.
        CHECK(begin >= ended[thread] - 1e-6);
        ended[thread] = begin + duration;
        if (event.at("cat") == "work") {
            ++steps[event.at("args").at("step")];
            CHECK_FALSE(event.at("args").at("kernel").get<std::string>().empty());
        }
    }
    CHECK(threads == std::map<int, std::string>{{0, "thread 0"}, {1, "thread 1"}});
    const std::string schedule = liven_program(kSmall + " --after schedule").out;
    for (size_t step = 0; step < steps.size(); ++step) {
        INFO("step " << step);
        CHECK(steps.count(static_cast<int64_t>(step)) ==
              size_t{has(schedule, "  step " + std::to_string(step) + " stage")});
    }
    CHECK(steps.size() > 20);
}

TEST_CASE("LIVEN_VERBOSE=1 tells the kernel of every step, and why each faster one was refused") {
    const std::string bench = "bench livenessnet --size 16 --mode infer --batch 1 --rounds 3";
    CHECK_FALSE(has(liven_program(bench).err, "conv2d_fwd_direct_nhwc_f32"));
    ::setenv("LIVEN_VERBOSE", "1", 1);
    const Outcome told = liven_program(bench);
    ::unsetenv("LIVEN_VERBOSE");
    CHECK(told.status == 0);
    CHECK(has(told.err, "  conv1_1: conv2d_fwd_direct_nhwc_f32\n"));
    CHECK(has(told.err, "      not conv2d_fwd_gemm_nhwc_f32: expected a 1x1 kernel, no padding and one group\n"));
    CHECK_FALSE(has(told.err, "  : "));
}

TEST_CASE("plan --after fuse tells by how much a kernel that was not chosen is slower") {
    const Outcome plan = liven_program("plan resnet18 --size 64 --batch 4 --mode train --after fuse");
    CHECK(plan.status == 0);
    for (const char* kernel : {"conv2d_fwd_direct_nhwc_f32", "conv2d_fwd_winograd_f2x2_nhwc_f32"}) {
        INFO(kernel);
        const size_t line = plan.out.find(std::string("      not ") + kernel + ": estimated ");
        REQUIRE(line != std::string::npos);
        CHECK(plan.out.substr(0, plan.out.find('\n', line)).ends_with(" % slower"));
    }
}

TEST_CASE("LIVEN_VERBOSE=1 tells the operation of a step outside every module") {
    ::setenv("LIVEN_VERBOSE", "1", 1);
    const Outcome told = liven_program("bench livenessnet --size 16 --batch 2 --rounds 3 --mode train");
    ::unsetenv("LIVEN_VERBOSE");
    CHECK(has(told.err, "  log_softmax: log_softmax_rows_f32\n"));
    CHECK_FALSE(has(told.err, "  : "));
}

TEST_CASE("plan --memory says what is computed in each reader rather than stored") {
    const Outcome plan = liven_program("plan attacknet-v2.2 --size 64 --batch 2 --memory");
    const std::string words = " MiB of maps are computed in each step that reads them rather than stored, which moves ";
    const size_t at = plan.out.find(words);
    REQUIRE(at != std::string::npos);
    // The plan itself counts them in the same unit.
    const size_t begin = plan.out.rfind('\n', at) + 1;
    const std::string fused = liven_program("plan attacknet-v2.2 --size 64 --batch 2 --after fuse").out;
    CHECK(has(fused, "\ncomputed again rather than stored: " + plan.out.substr(begin, at - begin) + " MiB of maps, "));
}

TEST_CASE("Reports that make no sense are refused") {
    CHECK(liven_program(kSmall + " --memory --executor reference").one_clear_error());
    const Folder folder;
    const std::string reference = kSmall + " --executor reference ";
    for (const std::string& option : {std::string("--profile"), "--trace " + (folder / "run.json")}) {
        const Outcome outcome = liven_program(reference + option);
        CHECK(outcome.one_clear_error());
        CHECK(has(outcome.err, option.substr(0, option.find(' ')) + ": the reference executor keeps no times"));
    }
    CHECK(liven_program("bench livenessnet --size 16 --profile --executor reference").one_clear_error());
    CHECK(liven_program(kSmall + " --svg arena.svg").status == 2);
    CHECK(liven_program(kSmall + " --memory --after fuse").status == 2);
    CHECK(liven_program(kSmall + " --profile --graphviz").status == 2);
    CHECK(liven_program(kSmall + " --shapes --graphviz").status == 2);
    CHECK(liven_program(kSmall + " --shapes --after fuse").status == 2);
    CHECK(liven_program(kSmall + " --memory --svg ''").status == 2);
    CHECK(liven_program(kSmall + " --trace ''").status == 2);
    CHECK(liven_program(kSmall + " --memory-limit ''").status == 2);
    CHECK(liven_program(kSmall + " --input 32x32x3").status == 2);  // beside --size
    CHECK(liven_program(kSmall + " --memory --svg /nowhere/arena.svg").status == 1);
    CHECK(liven_program(kSmall + " --trace /nowhere/run.json").one_clear_error());
}
