#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace liven {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter in, four random
/// 32-bit words out, no state. The same key and counter give the same words on every machine and in every thread.
class Philox {
public:
    using Block = std::array<uint32_t, 4>;

    explicit constexpr Philox(uint64_t key) : key_(key) {}

    /// The four words of block (lo, hi).
    constexpr Block operator()(uint64_t lo, uint64_t hi = 0) const {
        Block c{static_cast<uint32_t>(lo), static_cast<uint32_t>(lo >> 32), static_cast<uint32_t>(hi),
                static_cast<uint32_t>(hi >> 32)};
        uint32_t k0 = static_cast<uint32_t>(key_), k1 = static_cast<uint32_t>(key_ >> 32);
        for (int round = 0; round < 10; ++round, k0 += weyl0, k1 += weyl1) {
            const uint64_t p0 = uint64_t{multiplier0} * c[0], p1 = uint64_t{multiplier1} * c[2];
            c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
                 static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
        }
        return c;
    }

    static constexpr uint32_t multiplier0 = 0xD2511F53u, multiplier1 = 0xCD9E8D57u;
    static constexpr uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;

private:
    uint64_t key_;
};

/// A sequence of random numbers from Philox: `Random(seed, stream)` is reproducible and independent for each stream.
/// Streams are how (seed, epoch, sample) keys stay apart: mix them with `mix`.
class Random {
public:
    explicit Random(uint64_t seed, uint64_t stream = 0) : philox_(seed), stream_(stream) {}

    uint32_t bits() {
        if (next_ == 4) {
            block_ = philox_(counter_++, stream_);
            next_ = 0;
        }
        return block_[static_cast<size_t>(next_++)];
    }
    uint64_t bits64() {
        const uint64_t high = bits();
        return high << 32 | bits();
    }
    /// Uniform in [0, 1), 24 bits.
    float uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }
    float uniform(float low, float high) { return low + (high - low) * uniform(); }
    /// Uniform integer in [0, bound), bound >= 1, without modulo bias.
    uint64_t below(uint64_t bound);
    /// Standard normal (Box-Muller).
    float normal();

    /// A well-mixed 64-bit word from two (SplitMix64 finaliser, Steele et al. 2014): key(seed, epoch, sample) =
    /// mix(mix(seed, epoch), sample).
    static constexpr uint64_t mix(uint64_t a, uint64_t b) {
        uint64_t z = a + 0x9E3779B97F4A7C15u * (b + 1);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }

private:
    Philox philox_;
    uint64_t stream_, counter_ = 0;
    Philox::Block block_{};
    int next_ = 4;
    bool has_spare_ = false;
    float spare_ = 0;
};

}  // namespace liven
