#include "environment_line.hpp"

#include "liven/core/environment.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/version.hpp"

namespace liven {

std::string environment_line() {
    const BuildInfo& build = build_info();
    return "Liven " + std::string(version()) + ", " + std::string(build.type) + ", " + std::string(build.compiler) +
           ", " + std::to_string(thread_count()) + (thread_count() == 1 ? " thread" : " threads") + ", kernels for " +
           std::string(name_of(active_isa()));
}

}  // namespace liven
