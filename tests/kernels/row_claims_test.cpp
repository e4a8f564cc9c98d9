// What a kernel says of the rows its units read and complete (Step::Stage) is true: the executor relies on it.

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "liven/core/attributes.hpp"
#include "liven/core/isa.hpp"
#include "tests/kernels/convolution.hpp"
#include "tests/kernels/programs.hpp"
#include "tests/kernels/step_runner.hpp"

using namespace liven;
using namespace liven::kernels;
using liven::testing::Convolution;
using liven::testing::empty_tensor;
using liven::testing::not_a_number;
using liven::testing::random_tensor;
using liven::testing::same_bits;
using liven::testing::TestTensor;

namespace {

bool is_map(const TestTensor& tensor, int64_t samples) {
    return tensor.shape.rank() == 4 && tensor.shape[0] == samples && tensor.shape[1] > 1;
}

/// The tensor as a unit may see it: of the maps only its sample, and of that only the rows it says it reads.
std::vector<float> seen_by(const TestTensor& tensor, const Step::Stage& stage, int64_t unit) {
    std::vector<float> seen = tensor.values;
    if (stage.samples == 1 || !is_map(tensor, stage.samples)) return seen;
    const int64_t units = stage.units / stage.samples, row = tensor.shape[2] * tensor.shape[3];
    const double share =
        std::min(1.0, static_cast<double>(unit % units + 1) / static_cast<double>(units) + stage.reach);
    const auto rows = static_cast<int64_t>(std::ceil(share * static_cast<double>(tensor.shape[1]) - 1e-9));
    const int64_t first = unit / units * tensor.shape[1] * row, last = first + rows * row;
    for (int64_t i = 0; i < tensor.shape.count(); ++i)
        if (i < first || i >= last) seen[static_cast<size_t>(i)] = not_a_number;
    return seen;
}

/// Runs the step unit by unit, each with the inputs as it says it sees them; `after` is told of each.
template <class After>
void run_units(const Step& step, const std::vector<TestTensor>& inputs, std::vector<TestTensor>& outputs,
               const After& after) {
    Buffer workspace(step.workspace_bytes + 64), scratch(step.scratch_bytes + 64);
    std::vector<void*> out;
    for (TestTensor& tensor : outputs) out.push_back(tensor.values.data());
    int packed = -1;  // what a stage alone read, no later one may read
    for (size_t s = 0; s < step.stages.size(); ++s) {
        const Step::Stage& stage = step.stages[s];
        for (int64_t unit = 0; unit < stage.units; ++unit) {
            std::vector<std::vector<float>> seen;
            std::vector<const void*> in;
            for (size_t i = 0; i < inputs.size(); ++i) {
                const bool hidden =
                    stage.reads >= 0 ? stage.reads != static_cast<int>(i) : packed == static_cast<int>(i);
                seen.push_back(hidden ? std::vector<float>(inputs[i].values.size(), not_a_number)
                                      : seen_by(inputs[i], stage, unit));
            }
            for (const std::vector<float>& values : seen) in.push_back(values.data());
            step.run(static_cast<int>(s), unit,
                     {in.data(), out.data(), workspace.as<std::byte>(), scratch.as<std::byte>()});
            after(stage, unit);
        }
        packed = std::max(packed, stage.reads);
    }
}

/// The rows before the unit's end are as in `expected`.
bool complete_rows(const TestTensor& got, const TestTensor& expected, const Step::Stage& stage, int64_t unit) {
    const int64_t units = stage.units / stage.samples, sample = got.shape[1] * got.shape[2] * got.shape[3];
    const int64_t rows = (unit % units + 1) * got.shape[1] / units;
    const auto first = got.values.begin() + unit / units * sample;
    return std::equal(first, first + rows * got.shape[2] * got.shape[3],
                      expected.values.begin() + unit / units * sample);
}

void check_claims(const Problem& problem, const std::vector<TestTensor>& inputs, const std::vector<Shape>& results) {
    int kernels = 0;
    for (const KernelInfo& kernel : registry()) {
        if (kernel.op != problem.op || kernel.isa > available_isas().back() || !kernel.refuse(problem).empty())
            continue;
        ++kernels;
        INFO(kernel.name << " " << name_of(kernel.isa));
        const auto step = kernel.make(problem, kernel.isa);
        std::vector<TestTensor> expected, got;
        std::vector<const TestTensor*> in;
        std::vector<TestTensor*> out;
        for (const Shape& shape : results) expected.push_back(empty_tensor(shape));
        got = expected;
        for (const TestTensor& tensor : inputs) in.push_back(&tensor);
        for (TestTensor& tensor : expected) out.push_back(&tensor);
        testing::run_step(*step, in, out);
        run_units(*step, inputs, got, [&](const Step::Stage& stage, int64_t unit) {
            if (!stage.in_row_order) return;
            CHECK(stage.completes_maps);
            for (size_t i = 0; i < got.size(); ++i)
                if (is_map(got[i], stage.samples)) CHECK(complete_rows(got[i], expected[i], stage, unit));
        });
        for (size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i].values, expected[i].values));
    }
    CHECK(kernels >= static_cast<int>(available_isas().size()));
}

// Enough rows for several units a sample.
const Convolution convolutions[] = {
    {.src = {2, 150, 128, 16}, .attributes = {.window = {.kernel = {3}, .padding = {1}}}},
    {.src = {3, 97, 33, 16}, .attributes = {.window = {.kernel = {3}}}},
    {.src = {2, 90, 64, 16}, .attributes = {.window = {.kernel = {3}, .stride = {2}, .padding = {1}}}},
    {.src = {2, 91, 64, 3}, .attributes = {.window = {.kernel = {7}, .stride = {2}, .padding = {3}}}},
    {.src = {2, 64, 64, 16}, .attributes = {.window = {.kernel = {3}, .padding = {2}, .dilation = {2}}}},
    {.src = {2, 80, 70, 16}, .attributes = {.window = {.kernel = {3}, .padding = {1}}, .groups = 16}},
    {.src = {2, 80, 70, 16}, .attributes = {.window = {.kernel = {1}}}},
    {.src = {2, 56, 57, 64}, .filters = 300, .attributes = {.window = {.kernel = {1}}}},
    {.src = {2, 57, 31, 64}, .filters = 300, .attributes = {.window = {.kernel = {1}, .stride = {2}}}},
    {.src = {2, 58, 62, 64}, .filters = 300, .attributes = {.window = {.kernel = {1}, .stride = {2}}}},
    {.src = {2, 90, 64, 64}, .filters = 64, .attributes = {.window = {.kernel = {3}, .stride = {2}, .padding = {1}}}},
    {.src = {2, 28, 28, 128}, .filters = 128, .attributes = {.window = {.kernel = {3}, .padding = {1}}}},
    {.src = {1, 28, 28, 128}, .filters = 128, .attributes = {.window = {.kernel = {3}, .padding = {1}}}},
    {.src = {9, 14, 14, 512}, .filters = 16, .attributes = {.window = {.kernel = {3}, .padding = {1}}}},
};

}  // namespace

TEST_CASE("Convolutions read no rows, finish no rows and read again no packed weights but as they say", "[slow]") {
    for (const Convolution& layer : convolutions) {
        INFO(layer.src.str());
        const TestTensor src = random_tensor(layer.src, 1), weights = random_tensor(layer.weights(), 2),
                         dst = random_tensor(layer.dst(), 3);
        Problem problem;
        problem.op = "conv2d";
        problem.inputs = {src.operand(), weights.operand()};
        problem.outputs = {dst.operand()};
        problem.attributes = &layer.attributes;
        check_claims(problem, {src, weights}, {dst.shape});
        problem.op = "conv2d_input_grad";
        problem.inputs = {dst.operand(), weights.operand()};
        problem.outputs = {src.operand()};
        check_claims(problem, {dst, weights}, {src.shape});
        problem.op = "conv2d_weight_grad";
        problem.inputs = {src.operand(), dst.operand()};
        problem.outputs = {weights.operand()};
        check_claims(problem, {src, dst}, {weights.shape});
    }
}

TEST_CASE("Pools read no rows and finish no rows but those they say") {
    const Window2d windows[] = {{.kernel = {2}, .stride = {2}},
                                {.kernel = {3}, .stride = {2}, .padding = {1}},
                                {.kernel = {3}, .padding = {1}},
                                {.kernel = {2}, .stride = {3}}};
    for (const Window2d& window : windows) {
        const PoolAttributes attributes{.window = window};
        const TestTensor src = random_tensor({2, 121, 64, 32}, 1);
        const TestTensor dst = random_tensor({2, window.out_h(121), window.out_w(64), 32}, 2);
        for (const char* op : {"max_pool", "avg_pool", "max_pool_grad", "avg_pool_grad", "max_pool_pick"}) {
            INFO(op << " " << window.kernel.h << " " << window.stride.h);
            const std::string_view name = op;
            const bool grad = name.ends_with("grad");
            std::vector<TestTensor> in;
            if (name != "avg_pool_grad") in.push_back(src);
            if (grad) in.push_back(dst);
            if (name == "max_pool_pick") in.push_back(random_tensor(src.shape, 3));
            Problem problem;
            problem.op = name;
            problem.attributes = &attributes;
            for (const TestTensor& tensor : in) problem.inputs.push_back(tensor.operand());
            problem.outputs = {(grad ? src : dst).operand()};
            check_claims(problem, in, {(grad ? src : dst).shape});
        }
    }
}

TEST_CASE("Sums read no samples but those they say") {
    const TestTensor src = random_tensor({3, 56, 56, 64}, 1);
    const ReduceAttributes attributes{.axes = 8};
    TestTensor dst = empty_tensor({3, 56, 56, 1});
    Problem problem;
    problem.op = "reduce_sum";
    problem.attributes = &attributes;
    problem.inputs = {src.operand()};
    problem.outputs = {dst.operand()};
    check_claims(problem, {src}, {dst.shape});
}

TEST_CASE("Programs by themselves read no rows and finish no rows but those they say") {
    // The second is cut into ten units of 79 pixels: the fifth ends behind the middle of the map.
    for (const Shape& shape : {Shape{3, 61, 47, 19}, Shape{2, 28, 28, 576}}) {
        const TestTensor a = random_tensor(shape, 1), b = random_tensor(shape, 2);
        const Program program = testing::program_of(Opcode::mul);
        TestTensor dst = empty_tensor(shape);
        check_claims(testing::problem_of(program, {&a, &b}, {&dst}), {a, b}, {shape});
    }
}
