#include <algorithm>
#include <catch2/catch.hpp>

#include "liven/models/registry.hpp"
#include "program.hpp"

// The operations that the benchmarks of single kernels time.

using namespace liven;

namespace {

/// The file's own first line says what printed it.
void check_shapes_of(const std::string& model) {
    const std::string file = "bench/shapes/" + model + ".txt";
    const std::string stored = contents_of(std::string(LIVEN_SOURCE) + "/" + file), begin = "# liven ";
    const std::string command = stored.substr(0, stored.find('\n'));
    INFO(file << ": write it anew: " << command.substr(std::min<size_t>(2, command.size())) << " > " << file);
    REQUIRE(stored.starts_with(begin + "plan " + model + " --batch "));
    const Outcome printed = liven_program(command.substr(begin.size()));
    CHECK(printed.status == 0);
    CHECK(printed.out == stored);
}

/// Its plan takes a moment.
bool is_small(const ModelInfo& model) { return model.name.starts_with("attacknet") || model.name == "livenessnet"; }

}  // namespace

TEST_CASE("The stored shapes are those of the small models as they are now") {
    for (const ModelInfo& model : models())
        if (is_small(model)) check_shapes_of(std::string(model.name));
}

TEST_CASE("The stored shapes are those of the deep models as they are now", "[slow]") {
    for (const ModelInfo& model : models())
        if (!is_small(model)) check_shapes_of(std::string(model.name));
}
