#include "src/data/loading/epoch_order.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"

namespace liven::data {
namespace {

using ByClass = std::array<std::vector<int64_t>, 2>;

ByClass classes_of(const Dataset& dataset, const std::vector<int64_t>& samples) {
    ByClass out;
    for (int64_t i : samples) out[static_cast<size_t>(dataset.samples[static_cast<size_t>(i)].label)].push_back(i);
    return out;
}

void mix_up(std::vector<int64_t>& items, Random& random) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

/// `count` places from one class, round after round, each round in its own order.
std::vector<Place> rounds(std::vector<int64_t> items, size_t count, bool shuffle, Random& random) {
    std::vector<Place> out;
    for (uint32_t round = 0; out.size() < count; ++round) {
        if (shuffle) mix_up(items, random);
        for (size_t i = 0; i < items.size() && out.size() < count; ++i) out.push_back({items[i], round});
    }
    return out;
}

std::vector<Place> balanced_order(const ByClass& classes, bool shuffle, Random& random) {
    const size_t length = std::max(classes[0].size(), classes[1].size());
    const std::vector<Place> bonafide = rounds(classes[0], length, shuffle, random);
    const std::vector<Place> attack = rounds(classes[1], length, shuffle, random);
    std::vector<Place> out;
    for (size_t i = 0; i < length; ++i) {
        const bool swapped = shuffle && random.below(2) == 1;
        out.push_back(swapped ? attack[i] : bonafide[i]);
        out.push_back(swapped ? bonafide[i] : attack[i]);
    }
    return out;
}

/// The promise of the loader, checked every epoch: it costs microseconds, and a sample silently lost costs a study.
void require_complete(const Dataset& dataset, const std::vector<int64_t>& samples, const std::vector<Place>& order) {
    std::vector<uint32_t> seen(dataset.samples.size(), 0);
    for (const Place& place : order)
        if (seen[static_cast<size_t>(place.sample)]++ != place.repeat)
            throw Error("loader", "a sample came out of turn");
    for (int64_t i : samples)
        if (seen[static_cast<size_t>(i)] == 0) throw Error("loader", "an epoch misses a sample");
}

}  // namespace

std::vector<Place> epoch_order(const Dataset& dataset, const std::vector<int64_t>& samples, uint64_t seed,
                               int64_t epoch, bool shuffle, bool balanced) {
    Random random(Random::mix(seed, static_cast<uint64_t>(epoch)), 0x6f72646572u);  // a stream apart from augmentation
    std::vector<Place> order;
    if (balanced) {
        const ByClass classes = classes_of(dataset, samples);
        if (classes[0].empty() || classes[1].empty()) throw Error("loader", "balancing needs samples of both classes");
        order = balanced_order(classes, shuffle, random);
    } else {
        order = rounds(samples, samples.size(), shuffle, random);
    }
    require_complete(dataset, samples, order);
    return order;
}

int64_t epoch_length(const Dataset& dataset, const std::vector<int64_t>& samples, bool balanced) {
    if (!balanced) return static_cast<int64_t>(samples.size());
    const ByClass classes = classes_of(dataset, samples);
    return static_cast<int64_t>(2 * std::max(classes[0].size(), classes[1].size()));
}

}  // namespace liven::data
