#pragma once

#include <cstdint>
#include <functional>

#include "liven/data/dataset.hpp"

namespace liven::data {

/// Calls `work(i)` for i in [0, count) on up to `threads` threads (0: as many as the machine has), each index once. The
/// first exception stops the rest and comes out here. `progress` is called by one thread at a time.
void parallel_for(int64_t count, int threads, const std::function<void(int64_t)>& work,
                  const ProgressCallback& progress = {});

}  // namespace liven::data
