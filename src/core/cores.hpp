#pragma once

#include <optional>
#include <string>
#include <vector>

namespace liven {

/// The logical CPUs this process may run on (sched_getaffinity).
std::vector<int> allowed_cpus();

/// How many physical cores a set of logical CPUs covers. `sysfs` is /sys/devices/system/cpu; where it says nothing
/// about a CPU, that CPU counts as a core of its own.
int physical_cores(const std::vector<int>& cpus, const std::string& sysfs);

/// The CPU time a container may use, in whole CPUs rounded up, from "<quota> <period>" or "max <period>" (cgroup 2,
/// cpu.max).
std::optional<int> quota_of(const std::string& cpu_max);

/// Physical cores this process may use: affinity and container quota applied. At least 1.
int usable_cores();

}  // namespace liven
