#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// All of Liven's environment variables. Each is read once, at its first use, and strictly: a value that is not among
/// the choices is an Error naming them. The setters override the environment; tests and programs with options use them.
namespace liven {

/// Who computes a graph: the planner, or naive loops node by node (the oracle of the tests).
enum class ExecutorKind { planned, reference };

/// LIVEN_THREADS: how many threads compute and load, 1 to 1024. Without it, the physical cores this process may use:
/// CPU affinity and container limits count, a core's second hardware thread does not.
int thread_count();
void set_thread_count(int count);

/// LIVEN_EXECUTOR: planned (the default) or reference.
ExecutorKind executor_kind();
void set_executor_kind(ExecutorKind kind);
std::string_view name_of(ExecutorKind kind);

/// LIVEN_VERBOSE. 0: results, warnings, errors. 1: also ISA, threads, the kernel of each node and why no other:
/// refused, or slower by so much. 2: also time, GFLOP/s and GB/s of each node.
int verbosity();
void set_verbosity(int level);

/// LIVEN_POISON: 1 fills memory that the plan has freed with NaN, so that a read too late shows.
bool poison();
void set_poison(bool on);

/// One line of `liven help environment`. LIVEN_ISA and LIVEN_TUNING belong to the list; their accessors are in isa.hpp
/// and in kernels/tuning.hpp.
struct EnvironmentVariable {
    std::string_view name, choices, fallback, meaning;
};
std::span<const EnvironmentVariable> environment_variables();

/// Reads every variable now, so that a misspelt value stops a program at its start and not after an hour. Throws Error
/// on the first bad value; variables that begin with LIVEN_ but are none of Liven's get a warning.
void check_environment();

/// The value of a listed variable, or nothing when it is unset or empty.
std::optional<std::string> environment_value(std::string_view name);

}  // namespace liven
