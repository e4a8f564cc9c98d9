#pragma once

#include <cstddef>
#include <cstdint>

namespace liven {

/// The checksum of zip, gzip and PNG (CRC-32, reflected polynomial 0xEDB88320) of `bytes` more bytes after those that
/// gave `crc`.
uint32_t crc32(uint32_t crc, const void* data, size_t bytes);
/// Castagnoli's (CRC-32C, reflected polynomial 0x82F63B78), that of TensorFlow's records.
uint32_t crc32c(uint32_t crc, const void* data, size_t bytes);

}  // namespace liven
