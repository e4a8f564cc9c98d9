#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace liven::io {

/// The number at `offset` of `bytes`, which must be long enough.
template <class T>
T load(std::string_view bytes, size_t offset) {
    static_assert(std::is_unsigned_v<T>);
    T value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/// Appends a number.
template <class T>
void store(std::string& bytes, std::type_identity_t<T> value) {
    static_assert(std::is_unsigned_v<T>);
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(raw, sizeof raw);
}

}  // namespace liven::io
