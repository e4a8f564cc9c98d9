#include <catch2/catch.hpp>

#include "program.hpp"

// The operations that the benchmarks of single kernels time.

using namespace liven;

TEST_CASE("The stored shapes are those of the models as they are now") {
    for (const std::string model : {"attacknet-v1", "attacknet-v2.1", "attacknet-v2.2", "livenessnet"}) {
        const std::string file = "bench/shapes/" + model + ".txt";
        INFO("write it anew: liven plan " << model << " --shapes > " << file);
        const Outcome printed = liven_program("plan " + model + " --shapes");
        CHECK(printed.status == 0);
        CHECK(printed.out == contents_of(std::string(LIVEN_SOURCE) + "/" + file));
    }
}
