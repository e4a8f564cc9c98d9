#include <cstdio>
#include <cstdlib>

#include "fuzz/parsers.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"

/// What libFuzzer calls. LIVEN_FUZZ names the parser: `./run test --long` starts one process for each.
namespace {

const liven::fuzz::Parser& chosen_parser() {
    try {
        const char* name = std::getenv("LIVEN_FUZZ");
        return liven::fuzz::find_parser(name ? name : "");
    } catch (const liven::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        std::exit(2);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    static const liven::fuzz::Parser& parser = chosen_parser();
    // What was refused need not be mutated further than what was read: both are kept.
    liven::fuzz::refusal(parser, {bytes, size});
    return 0;
}
