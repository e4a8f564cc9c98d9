#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/data/image.hpp"

/// Pictures that look alike and lie on two sides of a split: what groups and equal bytes do not tell.
namespace liven::data {

/// 64 signs of the differences between horizontal neighbours of the grey picture shrunk to 9 x 8 (dHash): alike for
/// pictures that were resized, compressed again or made lighter.
uint64_t difference_hash(const Image& image);

/// Two samples of different splits or labels.
struct NearDuplicate {
    size_t first = 0, second = 0;
    int distance = 0;  ///< bits in which their hashes differ
};

struct NearDuplicates {
    std::vector<NearDuplicate> pairs;  ///< nearest first; each sample with its nearest only
    int64_t compared = 0;
    int64_t flat = 0;                     ///< too even to be told apart: left out
    std::vector<std::string> unreadable;  ///< with the reason
};

struct NearDuplicateOptions {
    int distance = 3;  ///< 0 to 3 bits
    int threads = 0;   ///< 0: as many as the machine has
    ProgressCallback progress{};
};

/// Throws Error for a distance outside 0 to 3.
NearDuplicates find_near_duplicates(const Dataset& dataset, const NearDuplicateOptions& options = {});

/// The first `most` pairs, two pictures of 128 x 128 beside each other, four pairs a row. Throws Error when there is
/// none.
Image grid_of_pairs(const Dataset& dataset, std::span<const NearDuplicate> pairs, size_t most = 40);

}  // namespace liven::data
