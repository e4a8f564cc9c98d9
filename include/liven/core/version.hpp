#pragma once

#include <span>
#include <string_view>

namespace liven {

/// "0.1.0"
std::string_view version();

/// Something optional that this build has or goes without.
struct BuildPart {
    std::string_view name;     ///< "HDF5"
    std::string_view purpose;  ///< "data sets in HDF5"
    bool present = false;
};

/// How this library was built.
struct BuildInfo {
    std::string_view type;        ///< "Release"
    std::string_view compiler;    ///< "GCC 12.2.0"
    std::string_view sanitizers;  ///< "address,undefined"; empty without
    bool optimized = false;       ///< false: several times slower than it should be, programs say so at start
    std::span<const BuildPart> parts;
};
const BuildInfo& build_info();

}  // namespace liven
