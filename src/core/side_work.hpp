#pragma once

#include <cstdint>
#include <functional>

#include "src/core/side_process.hpp"

/// The other side of a SideProcess, and what goes over the socket between them: a byte once it is there, then a head
/// and bytes for each request and each answer.
namespace liven {

struct SideRequestHead {
    uint64_t size = 0;
};
struct SideAnswerHead {
    uint64_t refused = 0;
    uint64_t size = 0;
};
inline constexpr uint64_t kMostRefusalBytes = 4096;

/// In the fork: keeps of the program only what it needs, limits itself and answers until the socket ends.
/// What `prepare` throws ends it: nothing may go back to where the program forked.
[[noreturn]] void side_work(int socket, const std::function<SideProcess::Answer()>& prepare,
                            const SideLimits& limits) noexcept;

}  // namespace liven
