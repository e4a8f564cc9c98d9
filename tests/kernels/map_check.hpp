#pragma once

#include "src/reference/array.hpp"
#include "tests/golden/kernel_values.hpp"
#include "tests/kernels/step_runner.hpp"

/// Runs every kernel of an operation against its reference.
namespace liven::testing {

struct MapCase {
    std::string_view op;
    const void* attributes = nullptr;
    std::vector<TestTensor> inputs;
    Shape result;
    int64_t result_stride = 0;
    double tolerance = 0;  ///< of the relative error; 0: the same bits
};

inline TestTensor by_reference(const MapCase& c, reference::Function<float> reference) {
    std::vector<TestTensor> inputs = c.inputs;
    TestTensor want = empty_tensor(c.result);
    std::vector<reference::Array<float>> in;
    for (TestTensor& tensor : inputs) in.push_back(tensor.array());
    const std::vector<reference::Array<float>> out{want.array()};
    reference(c.attributes, in, out);
    return want;
}

inline kernels::Problem problem_of(const MapCase& c) {
    kernels::Problem problem;
    problem.op = c.op;
    problem.attributes = c.attributes;
    for (const TestTensor& tensor : c.inputs) problem.inputs.push_back(tensor.operand());
    problem.outputs = {empty_tensor(c.result, c.result_stride).operand()};
    return problem;
}

inline void check_values(const TestTensor& got, const std::vector<float>& want, double tolerance) {
    if (tolerance > 0)
        CHECK(relative_error(got.values, want) <= tolerance);
    else
        CHECK(relative_error(got.values, want) == 0);
}

/// Every ISA against the reference, in two orders of units, whose bits must be the same.
inline void check_map(const MapCase& c, reference::Function<float> reference) {
    const TestTensor want = by_reference(c, reference);
    const kernels::Problem problem = problem_of(c);
    std::vector<const TestTensor*> inputs;
    for (const TestTensor& tensor : c.inputs) inputs.push_back(&tensor);
    for (const Isa isa : available_isas()) {
        INFO(c.op << " " << name_of(isa) << " " << c.inputs[0].shape << " -> " << c.result);
        const auto step = make_step(problem, isa);
        TestTensor got = empty_tensor(c.result, c.result_stride);
        run_step(*step, inputs, {&got}, Order::forward, 1);
        check_values(got, want.values, c.tolerance);
        const std::vector<float> first = got.values;
        run_step(*step, inputs, {&got}, Order::shuffled, 1);
        CHECK(same_bits(first, got.values));
    }
}

/// The source image of tests/golden/make_kernel_values.py.
inline TestTensor golden_source(int64_t height, int64_t width) {
    TestTensor out = empty_tensor({1, height, width, 1});
    for (size_t i = 0; i < out.values.size(); ++i)
        out.values[i] = static_cast<float>((i * 37 + 11) % 101) / 8.0f - 6.0f;
    return out;
}

inline Shape shape_of(const golden::Image& image) { return {1, image.height, image.width, 1}; }

/// Every ISA and the reference against PyTorch's values.
inline void check_golden(const MapCase& c, reference::Function<float> reference, const golden::Image& image) {
    REQUIRE(c.result == shape_of(image));
    check_values(by_reference(c, reference), image.values, 1e-6);  // a few roundings of fp32
    for (const Isa isa : available_isas()) {
        TestTensor got = empty_tensor(c.result);
        std::vector<const TestTensor*> inputs;
        for (const TestTensor& tensor : c.inputs) inputs.push_back(&tensor);
        run_step(*make_step(problem_of(c), isa), inputs, {&got});
        INFO(c.op << " " << name_of(isa));
        check_values(got, image.values, 1e-6);
    }
}

}  // namespace liven::testing
