#pragma once

#include <cstdint>
#include <vector>

#include "liven/data/dataset.hpp"

namespace liven::data {

/// One place in an epoch: a sample, and how often it came before in this epoch (0 unless classes are balanced).
struct Place {
    int64_t sample = 0;
    uint32_t repeat = 0;
};

/// The order of epoch `epoch`: each of `samples` once; balanced: pairs of one bona fide and one attack sample, the
/// larger class once, the smaller again and again, in a new order each time round. Throws Error when balancing lacks a
/// class, or when the order is not what it must be.
std::vector<Place> epoch_order(const Dataset& dataset, const std::vector<int64_t>& samples, uint64_t seed,
                               int64_t epoch, bool shuffle, bool balanced);
/// Its length.
int64_t epoch_length(const Dataset& dataset, const std::vector<int64_t>& samples, bool balanced);

}  // namespace liven::data
