#pragma once

#include <cstdint>
#include <span>

namespace liven::data {

/// CRC-32 as PNG defines it (ISO 3309, reflected polynomial EDB88320).
uint32_t crc32(std::span<const uint8_t> bytes);

}  // namespace liven::data
