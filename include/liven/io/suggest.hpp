#pragma once

#include <span>
#include <string>
#include <string_view>

namespace liven {

/// The candidate that a misspelt word most likely meant: the smallest number of inserted, deleted, replaced or swapped
/// letters, case ignored, and at most a third of the word's length; empty when none is that near.
std::string closest(std::string_view word, std::span<const std::string> candidates);

/// "did you mean 'epochs'", or empty: ready to be an Error's hint.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace liven
