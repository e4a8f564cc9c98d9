#include "src/core/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

namespace liven {
namespace {

std::optional<std::string> first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

/// The tightest quota from this process's control group up to the root. In a container the path in /proc is often not
/// what is mounted; the root of the mount then still holds the limit.
std::optional<int> container_quota() {
    std::optional<int> least;
    const auto consider = [&](std::optional<int> quota) {
        if (quota && (!least || *quota < *least)) least = quota;
    };
    std::ifstream groups("/proc/self/cgroup");
    std::string path;
    for (std::string line; std::getline(groups, line);)
        if (line.starts_with("0::")) path = line.substr(3);
    while (true) {
        if (auto limit = first_line("/sys/fs/cgroup" + path + "/cpu.max")) consider(quota_of(*limit));
        if (path.empty()) break;
        path.erase(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
    }
    // cgroup 1 keeps the two numbers in two files.
    const auto quota = first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    const auto period = first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (quota && period) consider(quota_of(*quota + " " + *period));
    return least;
}

}  // namespace

std::vector<int> allowed_cpus() {
    std::vector<int> cpus;
    // The kernel refuses a mask smaller than its own: grow until it fits.
    for (int capacity = 1024; capacity <= 1 << 16; capacity *= 2) {
        cpu_set_t* mask = CPU_ALLOC(static_cast<size_t>(capacity));
        if (!mask) break;
        const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(capacity));
        const bool filled = sched_getaffinity(0, bytes, mask) == 0;
        for (int cpu = 0; filled && cpu < capacity; ++cpu)
            if (CPU_ISSET_S(static_cast<size_t>(cpu), bytes, mask)) cpus.push_back(cpu);
        CPU_FREE(mask);
        if (filled) return cpus;
    }
    const int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    for (int cpu = 0; cpu < count; ++cpu) cpus.push_back(cpu);
    return cpus;
}

int physical_cores(const std::vector<int>& cpus, const std::string& sysfs) {
    std::set<std::pair<std::string, std::string>> cores;
    for (int cpu : cpus) {
        const std::string topology = sysfs + "/cpu" + std::to_string(cpu) + "/topology/";
        const auto package = first_line(topology + "physical_package_id");
        const auto core = first_line(topology + "core_id");
        if (package && core)
            cores.emplace(*package, *core);
        else
            cores.emplace("cpu", std::to_string(cpu));
    }
    return static_cast<int>(cores.size());
}

std::optional<int> quota_of(const std::string& cpu_max) {
    std::istringstream in(cpu_max);
    double quota = 0, period = 0;
    if (!(in >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;  // "max", or -1 for none
    return std::max(1, static_cast<int>(std::min(quota / period + 0.999, 65536.0)));
}

int usable_cores() {
    const int cores = std::max(1, physical_cores(allowed_cpus(), "/sys/devices/system/cpu"));
    return std::min(cores, container_quota().value_or(cores));
}

}  // namespace liven
