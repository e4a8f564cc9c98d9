#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace liven {

/// "4GB", "512 MB", "1.5GiB", "300000" -> bytes: K, M, G and T are powers of 1,000, Ki, Mi, Gi and Ti of 1,024; the B
/// may be left out, case does not matter. Throws Error, named `where`, for anything else and for what is not above 0.
int64_t bytes_from(std::string_view where, std::string_view text);

/// "1234 MB", of 1,000,000 bytes.
std::string megabytes(double bytes, int decimals = 0);

}  // namespace liven
