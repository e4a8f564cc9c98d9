#include "liven/core/philox.hpp"

#include <cmath>

namespace liven {

uint64_t Random::below(uint64_t bound) {
    // Numbers below 2^64 mod bound would make the small remainders likelier: draw again.
    const uint64_t threshold = (0 - bound) % bound;
    uint64_t word = bits64();
    while (word < threshold) word = bits64();
    return word % bound;
}

float Random::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    const float u = 1.0f - uniform();  // (0, 1]: the logarithm stays finite
    const float v = uniform();
    const float radius = std::sqrt(-2.0f * std::log(u));
    const float angle = 6.28318530717958648f * v;
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
}

}  // namespace liven
