#include "kernels/tuning.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "liven/core/attributes.hpp"
#include "liven/core/error.hpp"

// Tables of measured kernel times.

using namespace liven;
using namespace liven::kernels;

namespace {

constexpr const char* kDirect = "conv2d_fwd_direct_nhwc_f32";

/// A convolution that several kernels of the baseline take.
struct TunedConvolution {
    Conv2dAttributes attributes{.window = {.kernel = {3}, .padding = {1, 1, 1, 1}}};
    Problem problem;

    explicit TunedConvolution(int64_t size = 32) {
        const auto operand = [](const Shape& shape) {
            return Operand{.shape = shape, .dtype = DType::f32, .pixel_stride = shape[-1]};
        };
        problem.op = "conv2d";
        problem.inputs = {operand({2, size, size, 32}), operand({3, 3, 32, 32})};
        problem.outputs = {operand({2, size, size, 32})};
        problem.attributes = &attributes;
    }
};

/// While one lives, kernels are chosen by the given table.
struct ActiveTuning {
    explicit ActiveTuning(TuningTable table) { set_active_tuning(std::move(table)); }
    ~ActiveTuning() { set_active_tuning({}); }
};

/// Every kernel takes a second, but one.
TuningTable favouring(const Problem& problem, const KernelInfo& favourite) {
    TuningTable table;
    for (const KernelInfo* kernel : accepting(problem, Isa::baseline))
        table.set({.isa = Isa::baseline, .kernel = std::string(kernel->name), .problem = problem_key(problem)},
                  kernel == &favourite ? 0.5 : 1.0);
    return table;
}

}  // namespace

TEST_CASE("The kernel with the smallest measured time is chosen, whatever the estimates") {
    const TunedConvolution t;
    const auto kernels = accepting(t.problem, Isa::baseline);
    REQUIRE(kernels.size() > 1);
    CHECK_FALSE(choose(t.problem, Isa::baseline).measured);
    for (const KernelInfo* kernel : kernels) {
        const ActiveTuning active(favouring(t.problem, *kernel));
        const Choice choice = choose(t.problem, Isa::baseline);
        CHECK(choice.chosen == kernel);
        CHECK(choice.measured);
        CHECK(choice.slower.size() == kernels.size() - 1);
        for (const auto& [other, times] : choice.slower) {
            CHECK(other != kernel);
            CHECK(times == 2);
        }
        CHECK(active_tuning()->problems(*kernel) == 1);
    }
}

TEST_CASE("Kernels that lose by their cost are told apart from those that refuse, with what they would take") {
    const TunedConvolution t;
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
        INFO(name_of(isa));
        const Choice choice = choose(t.problem, isa);
        REQUIRE(choice.chosen);
        CHECK(choice.slower.size() == accepting(t.problem, isa).size() - 1);
        const auto of_op = [&](const KernelInfo& kernel) { return kernel.op == t.problem.op && kernel.isa == isa; };
        CHECK(1 + choice.slower.size() + choice.refused.size() ==
              static_cast<size_t>(std::count_if(registry().begin(), registry().end(), of_op)));
        for (const auto& [kernel, times] : choice.slower) {
            CHECK(kernel != choice.chosen);
            CHECK(kernel->refuse(t.problem).empty());
            CHECK(times >= 1);
            if (choice.near.empty())
                CHECK(times == Approx(kernel->cost(t.problem) / choice.chosen->cost(t.problem)).epsilon(1e-12));
        }
    }
}

TEST_CASE("Estimates decide where a candidate was not measured, and over other problems") {
    const TunedConvolution t, other(34);
    const KernelInfo* estimated = choose(t.problem, Isa::baseline).chosen;
    const auto kernels = accepting(t.problem, Isa::baseline);
    const KernelInfo* last = kernels.back() == estimated ? kernels.front() : kernels.back();
    TuningTable table;
    table.set({.isa = Isa::baseline, .kernel = std::string(last->name), .problem = problem_key(t.problem)}, 1e-9);
    {
        const ActiveTuning active(table);
        CHECK(choose(t.problem, Isa::baseline).chosen == estimated);
    }
    const ActiveTuning active(favouring(t.problem, *last));
    CHECK(choose(t.problem, Isa::baseline).measured);
    CHECK_FALSE(choose(other.problem, Isa::baseline).measured);
}

TEST_CASE("Problems that take different times have different keys") {
    TunedConvolution t;
    const std::string key = problem_key(t.problem);
    CHECK(key != problem_key(TunedConvolution(34).problem));
    t.attributes.window.padding.top = 0;
    CHECK(key != problem_key(t.problem));
    t.attributes.window.padding.top = 1;
    t.problem.outputs[0].pixel_stride = 64;
    CHECK(key != problem_key(t.problem));
    t.problem.outputs[0].pixel_stride = 32;
    CHECK(key == problem_key(t.problem));
    t.problem.inputs[1].dtype = DType::i32;
    CHECK(key != problem_key(t.problem));
    t.problem.op = "max_pool";
    CHECK(problem_key(t.problem).empty());
}

TEST_CASE("A table is read back as it was written, and its hash tells tables apart") {
    const TunedConvolution t;
    const auto kernels = accepting(t.problem, Isa::baseline);
    const TuningTable table = favouring(t.problem, *kernels[0]), other = favouring(t.problem, *kernels[1]);
    const TuningTable again = TuningTable::parse(table.str(), "test");
    CHECK(again.str() == table.str());
    CHECK(again.hash() == table.hash());
    CHECK(table.hash() != other.hash());
    CHECK(table.hash() != 0);
    CHECK(TuningTable().hash() == 0);
    CHECK(TuningTable::parse(TuningTable().str(), "test").hash() == 0);
    CHECK(TuningTable::parse("liven-tuning 1\n# a comment\n\n", "test").size() == 0);
}

TEST_CASE("Hostile tables are errors that name the line") {
    const std::string head = "liven-tuning 1\n", kernel = std::string(kDirect) + " baseline conv2d x\n";
    const auto table = [&](std::initializer_list<std::string_view> parts) {
        std::string text = head;
        for (const std::string_view part : parts) text.append(part);
        return text;
    };
    const std::string long_key(5000, 'x');
    CHECK(TuningTable::parse(table({"1e-3 ", kernel}), "test").size() == 1);
    for (const std::string& text :
         {std::string(), std::string("liven-tuning 2\n"), std::string("PK\x03\x04\0\xff", 6), table({"fast ", kernel}),
          table({"0 ", kernel}), table({"-1 ", kernel}), table({"nan ", kernel}), table({"inf ", kernel}),
          table({"1e999 ", kernel}), table({"1"}), table({"1 "}), table({"1 ", kDirect}),
          table({"1 ", kDirect, " sse9 conv2d x\n"}), table({"1 ", kDirect, " baseline \n"}),
          table({"1 ", kDirect, " baseline matmul x\n"}), table({"1 nobody baseline conv2d x\n"}),
          table({"1 ", kernel, "2 ", kernel}), table({"1 ", kDirect, " baseline conv2d ", long_key}),
          std::string(size_t{5} << 20, '\n')}) {
        INFO(text.substr(0, 80));
        CHECK_THROWS_AS(TuningTable::parse(text, "test"), Error);
    }
    CHECK_THROWS_WITH(TuningTable::parse(head + "\n0 " + kernel, "a.tuning"),
                      Catch::Contains("a.tuning") && Catch::Contains("line 3") && Catch::Contains("liven tune"));
    CHECK_THROWS_AS(TuningTable::read("/nowhere/a.tuning"), Error);
    CHECK_THROWS_AS(TuningTable::read("/"), Error);
}
