#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace liven {

/// What sums of a profile are taken over.
enum class WorkKind {
    convolution,
    dense,      ///< matrix products, recurrent layers and the update of states
    pointwise,  ///< pointwise programs and pools
    other
};

/// What a step of a plan did in the runs since profiling was switched on. A step that only the first run of a plan has,
/// since it follows from frozen states, has no FLOPs and no bytes.
struct ProfileEntry {
    std::string name;  ///< the step as printed in the plan
    std::string kernel;
    std::string scope;
    WorkKind kind = WorkKind::other;
    double milliseconds = 0;  ///< of one run: the median of the last 64; all threads' time, shared by them
    double flops = 0;         ///< nominal, of one run
    double bytes = 0;         ///< operands read and written once, of one run
    double written = 0;       ///< those of them that are results
    int64_t runs = 0;
};

/// What each thread of one run did, and when.
struct Timeline {
    enum class Activity {
        work,    ///< a unit of a step
        wait,    ///< for units of the same segment that this thread's next one reads
        barrier  ///< for the other threads, at the end of a segment
    };
    struct Event {
        int thread = 0;
        Activity activity = Activity::work;
        size_t segment = 0;
        size_t step = 0;  ///< among the profile's entries; with stage and unit 0 at a barrier
        int stage = 0;
        int64_t unit = 0;
        double begin = 0, end = 0;  ///< microseconds since the run began
    };
    int threads = 0;
    double microseconds = 0;         ///< the whole run
    std::vector<Event> events = {};  ///< thread after thread; those of a thread in order, none over another
};

}  // namespace liven
