#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "liven/io/safetensors.hpp"
#include "src/io/elements.hpp"

namespace liven::io {

struct SafetensorsHeader {
    std::map<std::string, std::string> metadata;
    std::map<std::string, SafetensorsReader::Entry> entries;  ///< offsets from the start of the data part
};

/// Reads the JSON of a header as a stream, so that nothing unexpected is ever built in memory. Throws Error with
/// `file`.
SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& file);

/// Bytes of one element of a type the format knows; 0 for others.
size_t safetensors_element_size(std::string_view dtype);
/// The types that can be read into tensors.
std::optional<Element> safetensors_element(std::string_view dtype);

}  // namespace liven::io
