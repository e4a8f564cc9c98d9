#include "src/data/crc32.hpp"

#include <array>

namespace liven::data {
namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/// tables[k][b]: what byte b does when k more bytes follow it, so that eight bytes take one step.
constexpr Tables make_tables() {
    Tables t{};
    for (uint32_t b = 0; b < 256; ++b) {
        uint32_t c = b;
        for (int bit = 0; bit < 8; ++bit) c = (c & 1 ? 0xedb88320u : 0u) ^ (c >> 1);
        t[0][b] = c;
    }
    for (size_t k = 1; k < 8; ++k)
        for (size_t b = 0; b < 256; ++b) t[k][b] = t[0][t[k - 1][b] & 0xff] ^ (t[k - 1][b] >> 8);
    return t;
}
constexpr Tables tables = make_tables();

}  // namespace

uint32_t crc32(std::span<const uint8_t> bytes) {
    uint32_t c = 0xffffffffu;
    size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        uint32_t next = 0;
        for (size_t k = 0; k < 4; ++k) next ^= tables[7 - k][bytes[i + k] ^ (c >> (8 * k) & 0xff)];
        for (size_t k = 4; k < 8; ++k) next ^= tables[7 - k][bytes[i + k]];
        c = next;
    }
    for (; i < bytes.size(); ++i) c = tables[0][(c ^ bytes[i]) & 0xff] ^ (c >> 8);
    return ~c;
}

}  // namespace liven::data
