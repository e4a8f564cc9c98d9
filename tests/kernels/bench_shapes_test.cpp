#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "bench/support/shape_line.hpp"
#include "bench/support/step_work.hpp"
#include "kernels/step.hpp"
#include "liven/core/error.hpp"

// The shapes of the models that the benchmarks walk over (bench/shapes).

using namespace liven;
namespace fs = std::filesystem;

TEST_CASE("Every line of the benchmarks' shapes is an operation that some kernel takes") {
    int files = 0;
    for (const fs::directory_entry& file : fs::directory_iterator(LIVEN_SHAPES)) {
        ++files;
        for (const bench::ShapeLine& line : bench::read_shapes(file.path())) {
            INFO(file.path().filename().string() << ": " << line.text);
            const bench::LineProblem made(line);
            const kernels::Problem& problem = made.problem();
            const auto& all = kernels::registry();
            CHECK(std::any_of(all.begin(), all.end(), [&](const kernels::KernelInfo& kernel) {
                return kernel.op == problem.op && kernel.refuse(problem).empty();
            }));
        }
    }
    CHECK(files >= 7);
}

TEST_CASE("A line with attributes the benchmarks do not know is an error, not a kernel without them") {
    CHECK_THROWS_WITH(bench::LineProblem(bench::shape_line_from("permute[order=0x2x1x3] 1x2x3x4 -> 1x3x2x4 *1")),
                      Catch::Contains("cannot read the attributes"));
}
