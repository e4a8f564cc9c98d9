#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "kernels/program.hpp"
#include "liven/graph/operation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/shape.hpp"
#include "src/reference/table.hpp"

using namespace liven;

namespace {

/// Neither opened into others nor a plain step of the executors.
bool is_primitive(const Operation& operation) {
    const bool planned_away = operation.name() == "gradients" || operation.name() == "constant";
    return !operation.decompose && !operation.view && !planned_away;
}

}  // namespace

TEST_CASE("Every operation has a name of its own and a full description") {
    std::set<std::string_view> names;
    for (const Operation* operation : all_operations()) {
        INFO(operation->name());
        CHECK(names.insert(operation->name()).second);
        CHECK_FALSE(operation->name().empty());
        CHECK_FALSE(operation->doc.category.empty());
        CHECK_FALSE(operation->doc.summary.empty());
        CHECK_FALSE(operation->doc.formula.empty());
        CHECK(operation->infer);
    }
    CHECK(names.size() > 60);
}

TEST_CASE("The catalogue keeps categories together") {
    std::set<std::string_view> finished;
    std::string_view category;
    for (const Operation* operation : all_operations()) {
        if (operation->doc.category == category) continue;
        INFO(operation->name() << " in " << operation->doc.category);
        CHECK(finished.insert(operation->doc.category).second);
        category = operation->doc.category;
    }
}

TEST_CASE("Every primitive operation has a reference in float and double") {
    for (const Operation* operation : all_operations()) {
        INFO(operation->name());
        if (!is_primitive(*operation)) continue;
        CHECK(reference::function<float>(operation->name()));
        CHECK(reference::function<double>(operation->name()));
    }
}

TEST_CASE("Every pointwise operation is an instruction of pointwise programs") {
    for (const Operation* operation : all_operations()) {
        INFO(operation->name());
        if (operation->pointwise && !operation->decompose) CHECK(kernels::opcode_from(operation->name()).has_value());
    }
}

TEST_CASE("Every operation but updates and requests has a gradient, or opens into operations that have") {
    for (const Operation* operation : all_operations()) {
        INFO(operation->name());
        if (operation->name() == "gradients") continue;
        CHECK((operation->vjp || operation->decompose));
    }
}

TEST_CASE("An operation's descriptor is one object, listed with its attributes") {
    CHECK(&operation<ops::Add>() == &operation<ops::Add>());
    const Tensor y = scale(Tensor::zeros({3}), 2.0f);
    CHECK(describe(*y.node()) == "scale_const[imm0=2]");
}

TEST_CASE("A description puts together what belongs together and leaves out what changes nothing") {
    const Tensor x = Tensor::zeros({1, 9, 9, 4});
    const auto text = [](const Tensor& y) { return describe(*y.node()); };
    CHECK(text(conv2d(x, Tensor::zeros({3, 3, 4, 8}), {.padding = symmetric(1)})) == "conv2d[kernel=3x3 padding=1]");
    CHECK(text(conv2d(x, Tensor::zeros({2, 5, 2, 8}), {.stride = {1, 2}, .padding = {0, 1, 2, 3}, .groups = 2})) ==
          "conv2d[kernel=2x5 stride=1x2 padding=0,1,2,3 groups=2]");
    CHECK(text(max_pool(x, {.size = 3, .stride = 2, .ceil_mode = true})) ==
          "max_pool[size=3x3 stride=2x2 ceil_mode=1]");
    CHECK(text(reshape(x, {9, 36})) == "reshape[extent=9x36]");
    CHECK(text(matmul(Tensor::zeros({2, 3}), Tensor::zeros({4, 3}), {.transpose_b = true})) == "matmul[transpose_b=1]");
}
