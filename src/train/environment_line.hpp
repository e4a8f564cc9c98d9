#pragma once

#include <string>

namespace liven {

/// "Liven 0.1.0, Release, GCC 12.2.0, 2 threads, kernels for avx512": what computes in this process.
std::string environment_line();

}  // namespace liven
