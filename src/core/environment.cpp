#include "liven/core/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>

#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"
#include "src/core/cores.hpp"

namespace liven {
namespace {

constexpr int kMostThreads = 1024;

constexpr std::array<EnvironmentVariable, 6> kVariables{{
    {"LIVEN_THREADS", "1 to 1024", "physical cores", "threads that compute and load"},
    {"LIVEN_ISA", "baseline, avx2 or avx512", "best of this CPU", "instruction set of the kernels"},
    {"LIVEN_EXECUTOR", "planned or reference", "planned", "who computes: the planner, or naive loops"},
    {"LIVEN_VERBOSE", "0, 1 or 2", "0", "1: kernels chosen and refused; 2: time of each node"},
    {"LIVEN_POISON", "0 or 1", "0", "1: freed plan memory is filled with NaN"},
    {"LIVEN_TUNING", "a file", "none", "kernel times of this machine, written by liven tune"},
}};

[[noreturn]] void refuse(std::string_view name, std::string_view got) {
    const auto variable =
        std::find_if(kVariables.begin(), kVariables.end(), [&](const auto& v) { return v.name == name; });
    throw Error(name, "expected " + std::string(variable->choices) + ", got '" + std::string(got) + "'");
}

int integer(std::string_view name, int low, int high, int fallback) {
    const auto text = environment_value(name);
    if (!text) return fallback;
    int value = 0;
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc() || stop != end || value < low || value > high) refuse(name, *text);
    return value;
}

ExecutorKind read_executor() {
    const auto text = environment_value("LIVEN_EXECUTOR");
    if (!text) return ExecutorKind::planned;
    for (ExecutorKind kind : {ExecutorKind::planned, ExecutorKind::reference})
        if (*text == name_of(kind)) return kind;
    refuse("LIVEN_EXECUTOR", *text);
}

// Function statics: read at first use, and a variable that throws throws again at the next use.
std::atomic<int>& threads_setting() {
    static std::atomic<int> value = [] {
        const int wish = integer("LIVEN_THREADS", 1, kMostThreads, 0);
        return wish > 0 ? wish : std::min(usable_cores(), kMostThreads);
    }();
    return value;
}
std::atomic<int>& verbosity_setting() {
    static std::atomic<int> value = integer("LIVEN_VERBOSE", 0, 2, 0);
    return value;
}
std::atomic<bool>& poison_setting() {
    static std::atomic<bool> value = integer("LIVEN_POISON", 0, 1, 0) == 1;
    return value;
}
std::atomic<ExecutorKind>& executor_setting() {
    static std::atomic<ExecutorKind> value = read_executor();
    return value;
}

void warn_of_unknown_variables() {
    for (char** entry = environ; entry && *entry; ++entry) {
        const std::string_view text(*entry);
        const std::string_view name = text.substr(0, text.find('='));
        if (!name.starts_with("LIVEN_")) continue;
        if (std::none_of(kVariables.begin(), kVariables.end(), [&](const auto& v) { return v.name == name; }))
            log_warning(std::string(name) + " is none of Liven's environment variables and has no effect");
    }
}

}  // namespace

int thread_count() { return threads_setting().load(std::memory_order_relaxed); }
void set_thread_count(int count) {
    if (count < 1 || count > kMostThreads)
        throw Error("threads", "expected 1 to " + std::to_string(kMostThreads) + ", got " + std::to_string(count));
    threads_setting().store(count, std::memory_order_relaxed);
}

ExecutorKind executor_kind() { return executor_setting().load(std::memory_order_relaxed); }
void set_executor_kind(ExecutorKind kind) { executor_setting().store(kind, std::memory_order_relaxed); }
std::string_view name_of(ExecutorKind kind) { return kind == ExecutorKind::planned ? "planned" : "reference"; }

int verbosity() { return verbosity_setting().load(std::memory_order_relaxed); }
void set_verbosity(int level) {
    if (level < 0 || level > 2) throw Error("verbosity", "expected 0, 1 or 2, got " + std::to_string(level));
    verbosity_setting().store(level, std::memory_order_relaxed);
}

bool poison() { return poison_setting().load(std::memory_order_relaxed); }
void set_poison(bool on) { poison_setting().store(on, std::memory_order_relaxed); }

std::span<const EnvironmentVariable> environment_variables() { return kVariables; }

void check_environment() {
    thread_count();
    active_isa();
    executor_kind();
    verbosity();
    poison();
    warn_of_unknown_variables();
}

std::optional<std::string> environment_value(std::string_view name) {
    const char* text = std::getenv(std::string(name).c_str());
    if (!text || !*text) return std::nullopt;
    return text;
}

}  // namespace liven
