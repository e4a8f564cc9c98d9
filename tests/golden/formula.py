"""Numbers that C++ and Python make bit-equal without files: a hash of (name, index), see README.md.

C++ (liven/core/philox.hpp has Random::mix):
    uint64_t k = 0xcbf29ce484222325u; for (char c : name) k = (k ^ uint8_t(c)) * 0x100000001b3u;   // FNV-1a
    float u = float(Random::mix(k + salt, i) >> 40) * 0x1p-23f - 1.0f;                             // [-1, 1), exact
"""
import numpy as np

U64 = np.uint64
salt = 0  # each file has its own, stored in it as "salt"


def key(name):
    k = 0xCBF29CE484222325
    for byte in name.encode():
        k = ((k ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return U64(k)


def mix(k, i):
    """Random::mix of the C++ core for an array of indices."""
    with np.errstate(over="ignore"):
        z = k + U64(0x9E3779B97F4A7C15) * (i + U64(1))
        z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
        return z ^ (z >> U64(31))


def words(name, count):
    with np.errstate(over="ignore"):
        return mix(key(name) + U64(salt), np.arange(count, dtype=np.uint64))


def uniform(name, shape):
    """float32 in [-1, 1), row-major."""
    count = int(np.prod(shape))
    top = (words(name, count) >> U64(40)).astype(np.float32)
    return (top * np.float32(2.0**-23) - np.float32(1)).reshape(shape)


def parameter(name, shape):
    """Value of a parameter by its Keras name. All arithmetic is in float32, one rounding an operation."""
    u = uniform(name, shape)
    kind = name.rsplit("/", 1)[1]
    if kind == "kernel":  # He's uniform limit; fan-in is everything but the last axis
        fan_in = int(np.prod(shape[:-1]))
        return np.float32(np.sqrt(6.0 / fan_in)) * u
    if kind == "gamma":
        return np.float32(1) + np.float32(0.25) * u
    if kind == "moving_variance":
        return np.float32(1) + np.float32(0.5) * u
    return np.float32(0.125) * u  # bias, beta, moving_mean


def labels(name, count):
    return (words(name, count) >> U64(63)).astype(np.int64)


def images(name, shape, classes):
    """N x H x W x 3 in [0, 1); an attack (class 1) has a little less contrast, so that there is something to learn."""
    u = uniform(name, shape)
    contrast = np.where(classes == 0, np.float32(0.5), np.float32(0.45)).astype(np.float32)
    return np.float32(0.5) + contrast.reshape(-1, 1, 1, 1) * u
