#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "liven/core/philox.hpp"
#include "liven/io/host_tensor.hpp"

/// formula.py in C++: the parameters and inputs of the golden values, bit-equal to Python's. See README.md.
namespace golden {

using liven::HostTensor;
using liven::Random;
using liven::Shape;

/// FNV-1a of the name, plus the file's "salt".
inline uint64_t key(std::string_view name, int64_t salt) {
    uint64_t k = 0xcbf29ce484222325u;
    for (char c : name) k = (k ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return k + static_cast<uint64_t>(salt);
}

/// In [-1, 1), 24 bits.
inline float uniform(uint64_t key, int64_t index) {
    return static_cast<float>(Random::mix(key, static_cast<uint64_t>(index)) >> 40) * 0x1p-23f - 1.0f;
}

/// The value of a parameter, by its Keras name ("conv1_1/kernel", shape HWIO).
inline HostTensor parameter(std::string_view name, const Shape& shape, int64_t salt) {
    HostTensor out(shape, liven::DType::f32);
    const uint64_t k = key(name, salt);
    const std::string_view kind = name.substr(name.rfind('/') + 1);
    float offset = 0.0f, scale = 0.125f;
    if (kind == "kernel") {
        const int64_t fan_in = shape.count() / shape[-1];
        scale = static_cast<float>(std::sqrt(6.0 / static_cast<double>(fan_in)));
    } else if (kind == "gamma") {
        offset = 1.0f;
        scale = 0.25f;
    } else if (kind == "moving_variance") {
        offset = 1.0f;
        scale = 0.5f;
    }
    int64_t i = 0;
    for (float& value : out.values<float>()) value = offset + scale * uniform(k, i++);
    return out;
}

/// Class of each sample: "target", or "curve/target/<step>".
inline HostTensor labels(std::string_view name, int64_t count, int64_t salt) {
    HostTensor out({count}, liven::DType::i64);
    int64_t i = 0;
    for (int64_t& label : out.values<int64_t>())
        label = static_cast<int64_t>(Random::mix(key(name, salt), static_cast<uint64_t>(i++)) >> 63);
    return out;
}

/// N x H x W x 3: "input", or "curve/input/<step>". `classes` as labels() gives them.
inline HostTensor images(std::string_view name, const Shape& shape, const HostTensor& classes, int64_t salt) {
    HostTensor out(shape, liven::DType::f32);
    const int64_t each = shape.count() / shape[0];
    int64_t i = 0;
    for (float& value : out.values<float>()) {
        const bool attack = classes.values<int64_t>()[static_cast<size_t>(i / each)] == 1;
        value = 0.5f + (attack ? 0.45f : 0.5f) * uniform(key(name, salt), i);
        ++i;
    }
    return out;
}

/// Where in the flat array sample j of "<name>#samples" lies.
inline int64_t place(std::string_view name, int64_t j, int64_t count, int64_t salt) {
    return static_cast<int64_t>(Random::mix(key(name, salt), static_cast<uint64_t>(j)) % static_cast<uint64_t>(count));
}

}  // namespace golden
