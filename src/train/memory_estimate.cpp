#include "memory_estimate.hpp"

#include <fstream>

#include "liven/core/bytes.hpp"
#include "liven/core/error.hpp"

namespace liven {

std::string MemoryEstimate::str() const {
    return (states > 0 ? "weights and moments " + megabytes(states) + ", " : "") + "step " + megabytes(step) +
           ", pictures " + megabytes(cache) + ", batches " + megabytes(queue) + ", copies " + megabytes(copies);
}

void MemoryEstimate::require(double available) const {
    if (available <= 0 || total() <= available) return;
    throw Error("memory",
                "the training needs " + megabytes(total()) + " (" + str() + "), but the machine has " +
                    megabytes(available) + " free",
                "use a smaller --batch (with --accumulate for the same effect) or --size");
}

namespace {

/// "NAME:  123 kB" in a file of the system's, as bytes; 0 when it is not there.
double bytes_in(const char* file, const std::string& wanted) {
    std::ifstream info(file);
    std::string name;
    double kilobytes = 0;
    while (info >> name) {
        if (name == wanted && info >> kilobytes) return kilobytes * 1024.0;
        info.ignore(1024, '\n');
    }
    return 0;
}

}  // namespace

double available_memory() { return bytes_in("/proc/meminfo", "MemAvailable:"); }
double peak_memory() { return bytes_in("/proc/self/status", "VmHWM:"); }

}  // namespace liven
