#pragma once

#include <cstdint>
#include <span>

#include "liven/core/shape.hpp"

namespace liven {

/// How a parameter starts. Values depend on (seed, parameter name) alone, not on the order in which parameters are
/// made.
struct Initializer {
    enum class Kind { constant, glorot_uniform, glorot_normal, he_uniform, he_normal, truncated_normal, orthogonal };
    /// he: which side of the weights the variance is kept for (PyTorch's fan_in and fan_out modes).
    enum class Fan { in, out };

    Kind kind = Kind::glorot_uniform;
    float value = 0;  ///< constant: the value; truncated_normal: the standard deviation; orthogonal: the gain
    Fan fan = Fan::in;
    float slope = 0;  ///< he: negative slope of the leaky ReLU that follows; gain^2 = 2 / (1 + slope^2)

    static Initializer constant(float value) { return {.kind = Kind::constant, .value = value}; }
    static Initializer zeros() { return constant(0); }
    static Initializer ones() { return constant(1); }
    /// Glorot and Bengio 2010: uniform in +-sqrt(6 / (fan_in + fan_out)). Keras' default.
    static Initializer glorot_uniform() { return {}; }
    static Initializer glorot_normal() { return {.kind = Kind::glorot_normal}; }
    /// He et al. 2015.
    static Initializer he_uniform(float slope = 0, Fan fan = Fan::in) {
        return {.kind = Kind::he_uniform, .fan = fan, .slope = slope};
    }
    static Initializer he_normal(float slope = 0, Fan fan = Fan::in) {
        return {.kind = Kind::he_normal, .fan = fan, .slope = slope};
    }
    /// Normal, drawn again beyond two standard deviations.
    static Initializer truncated_normal(float deviation) {
        return {.kind = Kind::truncated_normal, .value = deviation};
    }
    /// Rows or columns orthonormal, times gain (Saxe et al. 2014): of the matrix (all axes but the last) x last.
    static Initializer orthogonal(float gain = 1) { return {.kind = Kind::orthogonal, .value = gain}; }

    /// Fills `values` (row-major, of this shape). Weights are [kh x kw x] in x out. `key` is the hash of seed and name.
    void fill(std::span<float> values, const Shape& shape, uint64_t key) const;
};

}  // namespace liven
