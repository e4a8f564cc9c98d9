#pragma once

#include <cstdint>
#include <string_view>

namespace liven {

inline constexpr uint64_t fnv_basis = 0xcbf29ce484222325u;

/// FNV-1a with 64 bits, going on from `hash`: the same on every machine, for telling data apart, not against forgery.
constexpr uint64_t fnv1a(std::string_view bytes, uint64_t hash = fnv_basis) {
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

}  // namespace liven
