#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace liven::data {

/// Goes through the coded blocks of a sequential Huffman JPEG without making a picture, and says what does not fit: a
/// code that does not exist, data that end too early or too late. Decoders paint grey over such damage and call it a
/// picture. Empty when all fits, and for the kinds it does not know (progressive, arithmetic, 12 bits), which the
/// decoder must judge.
///
/// `file` begins as a JPEG. Nothing beyond its end is read.
std::optional<std::string> find_jpeg_damage(std::span<const uint8_t> file);

}  // namespace liven::data
