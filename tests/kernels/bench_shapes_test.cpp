#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <vector>

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
        for (const bench::ShapeLine& line : bench::read_shapes(file.path()).lines) {
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

TEST_CASE("Every kernel for maps in float32 has a line to be measured with") {
    std::vector<bench::Shapes> all;
    for (const fs::directory_entry& file : fs::directory_iterator(LIVEN_SHAPES))
        all.push_back(bench::read_shapes(file.path()));
    std::set<std::string_view> without;
    for (const kernels::KernelInfo& kernel : kernels::registry())
        if (kernel.name.find("bf16") == std::string_view::npos) without.insert(kernel.name);
    for (const bench::Shapes& shapes : all)
        for (const bench::ShapeLine& line : shapes.lines) {
            const bench::LineProblem made(line);
            for (const kernels::KernelInfo& kernel : kernels::registry())
                if (without.count(kernel.name) > 0 && kernel.op == made.problem().op &&
                    kernel.refuse(made.problem()).empty())
                    without.erase(kernel.name);
        }
    for (const std::string_view name : without) FAIL_CHECK(name << " takes no line of bench/shapes");
    CHECK(without.empty());
}

TEST_CASE("A line with attributes the benchmarks do not know is an error, not a kernel without them") {
    CHECK_THROWS_WITH(bench::LineProblem(bench::shape_line_from("gru[reset_after=1] 1x2x3 3x6 -> 1x2x2 *1")),
                      Catch::Contains("cannot read the attributes"));
}

TEST_CASE("A file of shapes says first what printed it, for the model that it is called after") {
    const fs::path folder = fs::temp_directory_path() / "liven-shapes-test", file = folder / "resnet18.txt";
    fs::create_directories(folder);
    const auto read = [&](const std::string& text) {
        std::ofstream(file) << text;
        return bench::read_shapes(file);
    };
    const std::string line = "relu 1x2x3x4 -> 1x2x3x4 *2\n";
    CHECK(read("# liven plan resnet18 --batch 8 --shapes\n" + line).batch == 8);
    CHECK(read("# liven plan resnet18 --batch 8 --shapes\n" + line).lines.at(0).count == 2);
    CHECK(read("# by hand: some\n" + line).batch == 0);
    for (const std::string& first : std::vector<std::string>{
             "", "# liven plan resnet-18 --batch 8 --shapes\n", "# liven plan resnet18 --batch  --shapes\n",
             "# liven plan resnet18 --batch 8 --shapes", "# liven plan resnet18 --batch 8 --mode infer --shapes\n"})
        CHECK_THROWS_WITH(read(first + line), Catch::Contains("resnet18.txt:1"));
    fs::remove_all(folder);
}
