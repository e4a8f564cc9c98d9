#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// Everything of Liven that reads bytes somebody else may have written, for the fuzzer and for the tests that run its
/// corpus.
namespace liven::fuzz {

struct Parser {
    std::string_view name;  ///< of its folder in fuzz/corpus
    /// Reads the bytes as far as users would. Throws Error for what it refuses; anything else that leaves it is a
    /// defect.
    void (*read)(std::span<const uint8_t> bytes);
};

std::span<const Parser> parsers();
/// Throws Error with the names there are.
const Parser& find_parser(std::string_view name);

/// Reads the bytes. Empty when they were accepted, else the message of the Error that refused them.
std::string refusal(const Parser& parser, std::span<const uint8_t> bytes);

}  // namespace liven::fuzz
