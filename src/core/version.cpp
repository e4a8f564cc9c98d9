#include "liven/core/version.hpp"

#include <array>

namespace liven {
namespace {

constexpr std::array<BuildPart, 2> kParts{{
    {"HDF5", "data sets in HDF5", LIVEN_WITH_HDF5 == 1},
    {"zlib", "compressed npz files", LIVEN_WITH_ZLIB == 1},
}};

#if defined(__clang__)
constexpr std::string_view kCompiler = "Clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "GCC " __VERSION__;
#endif

#if defined(__OPTIMIZE__)
constexpr bool kOptimized = true;
#else
constexpr bool kOptimized = false;
#endif

}  // namespace

std::string_view version() { return LIVEN_VERSION; }

const BuildInfo& build_info() {
    static const BuildInfo info{.type = LIVEN_BUILD_TYPE,
                                .compiler = kCompiler,
                                .sanitizers = LIVEN_SANITIZERS,
                                .optimized = kOptimized,
                                .parts = kParts};
    return info;
}

}  // namespace liven
