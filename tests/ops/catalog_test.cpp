#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "kernels/program.hpp"
#include "liven/graph/operation.hpp"
#include "liven/ops/arithmetic.hpp"
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
    CHECK(describe(*y.node()) == "scale_const[imm0=2 imm1=0]");
}
