#include "src/reference/conv2d.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "kernels/program.hpp"
#include "liven/core/attributes.hpp"
#include "step_runner.hpp"

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

struct Case {
    int64_t n, h, w, c, oc;
    Conv2dAttributes attributes;
    int64_t extra_stride = 0;  ///< elements between pixels that are not the operand's

    int64_t dst_h() const { return attributes.window.out_h(h); }
    int64_t dst_w() const { return attributes.window.out_w(w); }
    Shape src() const { return {n, h, w, c}; }
    Shape dst() const { return {n, dst_h(), dst_w(), oc}; }
    Shape weights() const {
        return {attributes.window.kernel.h, attributes.window.kernel.w, c / attributes.groups, oc};
    }
    int64_t stride(int64_t channels) const { return extra_stride == 0 ? 0 : channels + extra_stride; }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
    const Window2d& w = c.attributes.window;
    return out << c.src() << " * " << c.weights() << " stride " << w.stride.h << "x" << w.stride.w << " padding "
               << w.padding.top << "," << w.padding.bottom << "," << w.padding.left << "," << w.padding.right
               << " dilation " << w.dilation.h << "x" << w.dilation.w << " groups " << c.attributes.groups;
}

Case same3x3(int64_t n, int64_t h, int64_t w, int64_t c, int64_t oc) {
    return {n, h, w, c, oc, {.window = {.kernel = 3, .padding = {1, 1, 1, 1}}}};
}

/// What a 2x2 kernel over a map of h x w pixels, each of them twice in each direction, comes to; the convolution that
/// it is the input gradient of.
Case upsampled(int64_t n, int64_t h, int64_t w, int64_t oc, int64_t c) {
    return {n, 2 * h, 2 * w,
            c, oc,    {.window = {.kernel = 3, .stride = 2, .padding = {.top = 1, .left = 1}}, .middle_is_sum = true}};
}

/// The shapes that the models use, in small, and those they do not.
std::vector<Case> all_cases() {
    std::vector<Case> out{
        {1, 9, 10, 48, 16, {.window = {.kernel = 3}}},
        {1, 6, 21, 16, 48, {.window = {.kernel = 3, .padding = {0, 2, 3, 0}}}},
        {1, 3, 3, 16, 16, {.window = {.kernel = 3, .padding = {4, 3, 3, 5}}}},
        same3x3(1, 1, 1, 1, 1),
        same3x3(2, 1, 7, 3, 5),
        same3x3(1, 13, 11, 3, 16),
        same3x3(2, 17, 19, 16, 16),
        same3x3(1, 9, 31, 17, 33),
        same3x3(1, 7, 7, 32, 32),
        same3x3(3, 5, 6, 33, 17),
        same3x3(1, 40, 23, 16, 32),
        same3x3(1, 7, 7, 70, 100),
        same3x3(1, 4, 300, 5, 3),
        same3x3(1, 13, 14, 48, 80),
        same3x3(65, 2, 2, 48, 80),
        same3x3(1, 6, 9, 80, 192),
        same3x3(1, 14, 14, 24, 64),
        same3x3(2, 5, 37, 20, 16),
        same3x3(1, 6, 41, 150, 79),
        same3x3(2, 37, 19, 40, 3),
        {1, 30, 9, 33, 2, {.window = {.kernel = 5, .padding = {2, 1, 4, 0}}}},
        {2, 29, 31, 3, 40, {.window = {.kernel = 7, .stride = 2, .padding = {3, 3, 3, 3}}}},
        {2, 14, 15, 3, 16, {.window = {.kernel = 7, .stride = 2, .padding = {3, 3, 3, 3}}}},
        {2, 12, 13, 16, 17, {.window = {.kernel = 3, .stride = 2, .padding = {1, 1, 1, 1}}}},
        {2, 12, 12, 16, 32, {.window = {.kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}}}},
        {1, 11, 13, 5, 3, {.window = {.kernel = 3, .stride = 3, .padding = {2, 0, 1, 2}}}},
        {1, 9, 10, 17, 16, {.window = {.kernel = 2, .padding = {0, 1, 0, 1}}}},
        {1, 8, 10, 16, 5, {.window = {.kernel = 2, .stride = 2}}},
        {2, 9, 7, 33, 17, {.window = {.kernel = 1}}},
        {2, 9, 7, 64, 48, {.window = {.kernel = 1}}},
        {1, 9, 8, 16, 32, {.window = {.kernel = 1, .stride = 2}}},
        {1, 4, 7, 520, 600, {.window = {.kernel = 1}}},
        {28, 1, 1, 520, 600, {.window = {.kernel = 1}}},
        {2, 3, 5, 512, 550, {.window = {.kernel = 1}}},
        {2, 5, 6, 512, 550, {.window = {.kernel = 1, .stride = 2}}},
        {3, 6, 7, 300, 40, {.window = {.kernel = 1, .stride = 2}}},
        {2, 40, 41, 19, 270, {.window = {.kernel = 1}}},
        {2, 10, 9, 33, 20, {.window = {.kernel = 1, .stride = {3, 2}}}},
        {2, 7, 9, 70, 66, {.window = {.kernel = 3, .stride = {2, 1}, .padding = {2, 1, 0, 2}, .dilation = {2, 1}}}},
        {2, 3, 3, 64, 65, {.window = {.kernel = 3, .stride = 2, .padding = {4, 3, 3, 5}}}},
        same3x3(2, 3, 4, 128, 160),
        {2, 5, 6, 128, 160, {.window = {.kernel = 3, .stride = 2, .padding = {1, 1, 1, 1}}}},
        {1, 9, 8, 3, 4, {.window = {.kernel = 1, .stride = {3, 2}, .padding = {1, 0, 2, 1}}}},
        {1, 13, 14, 16, 16, {.window = {.kernel = 3, .padding = {2, 2, 2, 2}, .dilation = 2}}},
        {1, 13, 14, 5, 17, {.window = {.kernel = 3, .stride = 2, .padding = {2, 1, 0, 2}, .dilation = {2, 3}}}},
        {1, 12, 9, 3, 5, {.window = {.kernel = {1, 5}, .padding = {0, 0, 2, 2}}}},
        {1, 12, 9, 3, 5, {.window = {.kernel = {5, 1}, .stride = {1, 2}, .padding = {4, 3, 0, 0}}}},
        {1, 5, 5, 3, 5, {.window = {.kernel = 3, .padding = {4, 5, 6, 3}}}},
        {1, 2, 2, 3, 5, {.window = {.kernel = 5, .padding = {2, 2, 2, 2}}}},
        {2, 8, 9, 12, 18, {.window = {.kernel = 3, .padding = {1, 1, 1, 1}}, .groups = 3}},
        {1, 8, 9, 64, 64, {.window = {.kernel = 3, .stride = 2, .padding = {1, 1, 1, 1}}, .groups = 2}},
        {1, 8, 9, 4, 8, {.window = {.kernel = 3, .padding = {1, 1, 1, 1}}, .groups = 4}},
        upsampled(2, 1, 1, 16, 16),
        upsampled(2, 1, 7, 16, 32),
        upsampled(1, 5, 3, 17, 16),
        upsampled(1, 9, 11, 48, 16),
        upsampled(2, 7, 8, 32, 80),
        upsampled(1, 4, 30, 16, 48),
        upsampled(1, 40, 23, 16, 16),
        upsampled(3, 3, 3, 160, 96),
        {2, 11, 9, 17, 17, {.window = {.kernel = 3, .padding = {1, 1, 1, 1}}, .groups = 17}},
        {1, 11, 12, 40, 40, {.window = {.kernel = 3, .stride = 2, .padding = {0, 1, 1, 1}}, .groups = 40}},
        {1, 11, 12, 16, 16, {.window = {.kernel = 5, .padding = {4, 4, 4, 4}, .dilation = 2}, .groups = 16}}};
    const size_t dense = out.size();
    for (size_t i = 0; i < dense; i += 3) {
        out.push_back(out[i]);
        out.back().extra_stride = 5;
    }
    return out;
}

// fp32 sums of k products against sums in double grow an error of about sqrt(k) * 2^-24 of the result's size; the
// longest here are 900 terms forward and 700 pixels for the weights, added in blocks: 1e-6 leaves a factor of two.
constexpr double kBound = 1e-6;

struct Operation {
    std::string_view op;
    reference::Function<float> reference;
};
constexpr Operation kOperations[] = {{"conv2d", reference::conv2d<float>},
                                     {"conv2d_input_grad", reference::conv2d_input_grad<float>},
                                     {"conv2d_weight_grad", reference::conv2d_weight_grad<float>}};

/// Weights whose middle is the sum of the outer two, along rows and columns: Conv2dAttributes::middle_is_sum.
void sum_in_the_middle(TestTensor& weights) {
    const int64_t channels = weights.shape[2] * weights.shape[3];
    const auto at = [&](int64_t y, int64_t x, int64_t i) -> float& {
        return weights.values[static_cast<size_t>((3 * y + x) * channels + i)];
    };
    for (int64_t i = 0; i < channels; ++i) {
        for (const int64_t y : {0, 2}) at(y, 1, i) = at(y, 0, i) + at(y, 2, i);
        for (int64_t x = 0; x < 3; ++x) at(1, x, i) = at(0, x, i) + at(2, x, i);
    }
}

/// What counts of the gradient for such weights: along each axis the sums of the middle one and either outer one.
std::vector<float> sums_with_the_middle(const std::vector<float>& gradient) {
    const size_t channels = gradient.size() / 9;
    std::vector<float> out;
    for (size_t y = 0; y < 2; ++y)
        for (size_t x = 0; x < 2; ++x)
            for (size_t i = 0; i < channels; ++i) {
                const auto at = [&](size_t row, size_t column) { return gradient[(3 * row + column) * channels + i]; };
                out.push_back((at(y, x) + at(y, x + 1)) + (at(y + 1, x) + at(y + 1, x + 1)));
            }
    return out;
}

/// The operands of one of the three operations, filled with random numbers, and the reference's result.
struct Operands {
    TestTensor first, second, want, got;
    Problem problem;
};

Operands operands(const Operation& operation, const Case& c) {
    const auto map = [&](const Shape& shape, uint64_t seed) { return random_tensor(shape, seed, c.stride(shape[3])); };
    Operands out;
    if (operation.op == "conv2d") {
        out.first = map(c.src(), 1);
        out.second = random_tensor(c.weights(), 2);
        out.got = empty_tensor(c.dst(), c.stride(c.oc));
    } else if (operation.op == "conv2d_input_grad") {
        out.first = map(c.dst(), 1);
        out.second = random_tensor(c.weights(), 2);
        out.got = empty_tensor(c.src(), c.stride(c.c));
    } else {
        out.first = map(c.src(), 1);
        out.second = map(c.dst(), 2);
        out.got = empty_tensor(c.weights());
    }
    if (c.attributes.middle_is_sum && operation.op != "conv2d_weight_grad") sum_in_the_middle(out.second);
    out.want = empty_tensor(out.got.shape);
    const std::vector<reference::Array<float>> in{out.first.array(), out.second.array()}, result{out.want.array()};
    operation.reference(&c.attributes, in, result);
    out.problem.op = operation.op;
    out.problem.attributes = &c.attributes;
    out.problem.inputs = {out.first.operand(), out.second.operand()};
    out.problem.outputs = {out.got.operand()};
    return out;
}

/// The error of a result, as far as it is defined.
double error_of(const std::vector<float>& got, const Operands& t) {
    const bool sums = t.problem.op == "conv2d_weight_grad" &&
                      static_cast<const Conv2dAttributes*>(t.problem.attributes)->middle_is_sum;
    if (!sums) return relative_error(got, t.want.values);
    return relative_error(sums_with_the_middle(got), sums_with_the_middle(t.want.values));
}

/// Calls check(kernel) for each kernel of each ISA here that accepts the problem; returns how many there were.
template <class Check>
int for_each_kernel(const Problem& problem, const Check& check) {
    int accepted = 0;
    for (const KernelInfo& kernel : registry()) {
        if (kernel.op != problem.op || kernel.isa > available_isas().back() || !kernel.refuse(problem).empty())
            continue;
        ++accepted;
        INFO(kernel.name << " " << name_of(kernel.isa));
        check(kernel);
    }
    return accepted;
}

/// The transforms of Winograd's F(4x4, 3x3) multiply rounding errors by about ten (constants up to 8 each way, twice),
/// those of F(2x2, 3x3) and of upsampled maps, which only add and halve, by about three.
double bound_of(const KernelInfo& kernel, double direct) {
    if (kernel.name.find("winograd") == std::string_view::npos) return direct;
    const auto mentions = [&](const char* what) { return kernel.name.find(what) != std::string_view::npos; };
    return mentions("2x2") || mentions("upsampled") ? 3 * direct : 10 * direct;
}

double distance(const TestTensor& a, const TestTensor& b) {
    double sum = 0;
    for (size_t i = 0; i < a.values.size(); ++i) sum += std::pow(double{a.values[i]} - double{b.values[i]}, 2);
    return std::sqrt(sum);
}

double norm_of(const TestTensor& a) {
    double sum = 0;
    for (const float value : a.values) sum += double{value} * double{value};
    return std::sqrt(sum);
}

Program leaky_relu_of_input(int operand) {
    Program program;
    program.inputs = {{.operand = operand, .access = Access::full}};
    program.code = {{.op = Opcode::leaky_relu, .dst = 1, .a = 0, .imm0 = 0.2f}};
    program.outputs = {{.source = 1, .operand = -1}};
    program.registers = 2;
    return program;
}

TestTensor leaky_relu(TestTensor tensor) {
    for (float& value : tensor.values) value = value > 0 ? value : 0.2f * value;
    return tensor;
}

/// core + channel bias, then leaky_relu, to output 0; with the sum over pixels and samples of the result to output 1
/// and the moments of the unbiased core to outputs 2 and 3.
Program bias_and_statistics(int bias) {
    Program program;
    program.inputs = {{.operand = -1, .access = Access::full}, {.operand = bias, .access = Access::channel}};
    program.code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1},
                    {.op = Opcode::leaky_relu, .dst = 3, .a = 2, .imm0 = 0.2f}};
    program.outputs = {{.source = 3, .operand = 0}};
    program.reductions = {{.kind = Reduction::Kind::sum, .source = 3, .operand = 1},
                          {.kind = Reduction::Kind::moments, .source = 0, .operand = 2, .operand2 = 3}};
    program.registers = 4;
    return program;
}

struct Statistics {
    TestTensor activated, sum, mean, variance;
};

Statistics statistics_of(const TestTensor& core, const TestTensor& bias) {
    const int64_t channels = core.channels(), pixels = core.shape.count() / channels;
    Statistics out{empty_tensor(core.shape), empty_tensor({channels}), empty_tensor({channels}),
                   empty_tensor({channels})};
    for (int64_t c = 0; c < channels; ++c) {
        double sum = 0, mean = 0, squares = 0;
        const auto at = [&](int64_t p) { return static_cast<size_t>(p * channels + c); };
        const auto channel = static_cast<size_t>(c);
        for (int64_t p = 0; p < pixels; ++p) mean += core.values[at(p)] / static_cast<double>(pixels);
        for (int64_t p = 0; p < pixels; ++p) {
            const float value = core.values[at(p)], biased = value + bias.values[channel];
            squares += (value - mean) * (value - mean);
            out.activated.values[at(p)] = biased > 0 ? biased : 0.2f * biased;
            sum += out.activated.values[at(p)];
        }
        out.sum.values[channel] = static_cast<float>(sum);
        out.mean.values[channel] = static_cast<float>(mean);
        out.variance.values[channel] = static_cast<float>(squares / static_cast<double>(pixels));
    }
    return out;
}

}  // namespace

TEST_CASE("Convolutions of any shape and their gradients agree with the reference, in any order of units") {
    for (const Operation& operation : kOperations)
        for (const Case& c : all_cases()) {
            INFO(operation.op << " " << c);
            Operands t = operands(operation, c);
            const int accepted = for_each_kernel(t.problem, [&](const KernelInfo& kernel) {
                const auto step = kernel.make(t.problem, kernel.isa);
                run_step(*step, {&t.first, &t.second}, {&t.got});
                const std::vector<float> first = t.got.values;
                CHECK(error_of(first, t) <= bound_of(kernel, kBound));
                run_step(*step, {&t.first, &t.second}, {&t.got}, Order::shuffled, 1);
                CHECK(same_bits(first, t.got.values));
            });
            CHECK(accepted >= static_cast<int>(available_isas().size()));
        }
}

TEST_CASE("A prologue makes the rows of the sliding operand, and the padding stays zero", "[slow]") {
    for (const Operation& operation : kOperations)
        for (const Case& c : all_cases()) {
            INFO(operation.op << " " << c);
            Operands t = operands(operation, c);
            // The prologue reads the raw map, which is the last input now; the made operand is absent.
            const Program program = leaky_relu_of_input(1);
            const TestTensor raw = t.first;
            t.first = leaky_relu(raw);
            const std::vector<reference::Array<float>> in{t.first.array(), t.second.array()}, out{t.want.array()};
            operation.reference(&c.attributes, in, out);
            t.problem.inputs = {t.second.operand(), raw.operand()};
            t.problem.prologue[0] = &program;
            t.problem.prologue_shape[0] = raw.shape;
            for_each_kernel(t.problem, [&](const KernelInfo& kernel) {
                run_step(*kernel.make(t.problem, kernel.isa), {&t.second, &raw}, {&t.got});
                CHECK(error_of(t.got.values, t) <= bound_of(kernel, kBound));
            });
        }
}

TEST_CASE("The weight gradient takes a prologue for each of its operands") {
    for (const Case& c : all_cases()) {
        INFO(c);
        Operands t = operands(kOperations[2], c);
        const Program src = leaky_relu_of_input(0), diff_dst = leaky_relu_of_input(1);
        TestTensor made_src = leaky_relu(t.first), made_diff = leaky_relu(t.second);
        const std::vector<reference::Array<float>> in{made_src.array(), made_diff.array()}, out{t.want.array()};
        reference::conv2d_weight_grad<float>(&c.attributes, in, out);
        t.problem.prologue[0] = &src;
        t.problem.prologue[1] = &diff_dst;
        t.problem.prologue_shape[0] = c.src();
        t.problem.prologue_shape[1] = c.dst();
        for_each_kernel(t.problem, [&](const KernelInfo& kernel) {
            run_step(*kernel.make(t.problem, kernel.isa), {&t.first, &t.second}, {&t.got});
            CHECK(error_of(t.got.values, t) <= bound_of(kernel, kBound));
        });
    }
}

TEST_CASE("An epilogue adds a bias, activates, and takes statistics of the rows while they are in cache") {
    for (const Operation& operation : {kOperations[0], kOperations[1]})
        for (const Case& c : all_cases()) {
            INFO(operation.op << " " << c);
            Operands t = operands(operation, c);
            const TestTensor bias = random_tensor({t.want.channels()}, 3);
            const Statistics want = statistics_of(t.want, bias);
            Statistics got{empty_tensor(t.got.shape, t.got.pixel_stride), empty_tensor(bias.shape),
                           empty_tensor(bias.shape), empty_tensor(bias.shape)};
            const Program program = bias_and_statistics(2);
            t.problem.inputs.push_back(bias.operand());
            t.problem.outputs = {got.activated.operand(), got.sum.operand(), got.mean.operand(),
                                 got.variance.operand()};
            t.problem.epilogue = &program;
            t.problem.epilogue_shape = t.got.shape;
            for_each_kernel(t.problem, [&](const KernelInfo& kernel) {
                const auto step = kernel.make(t.problem, kernel.isa);
                const std::vector<const TestTensor*> in{&t.first, &t.second, &bias};
                const std::vector<TestTensor*> out{&got.activated, &got.sum, &got.mean, &got.variance};
                run_step(*step, in, out, Order::shuffled);
                CHECK(relative_error(got.activated.values, want.activated.values) <= bound_of(kernel, kBound));
                // Positive and negative values nearly cancel in a mean and a sum, so their errors count against the
                // spread.
                const int64_t per_channel = t.want.shape.count() / t.want.channels();
                const auto pixels = static_cast<double>(per_channel);
                const double spread = std::sqrt(norm_of(want.variance) * std::sqrt(double(t.want.channels())));
                CHECK(distance(got.mean, want.mean) <= bound_of(kernel, 2e-6) * spread);
                CHECK(distance(got.sum, want.sum) <=
                      bound_of(kernel, 2e-6) * norm_of(want.activated) * std::sqrt(pixels));
                CHECK(relative_error(got.variance.values, want.variance.values) <= bound_of(kernel, 1e-5));
                const std::vector<float> mean = got.mean.values, variance = got.variance.values;
                run_step(*step, in, out, Order::backward);
                CHECK(same_bits(mean, got.mean.values));
                CHECK(same_bits(variance, got.variance.values));
            });
        }
}

TEST_CASE("Prologue and epilogue work together, and an epilogue may write a slice of a wider tensor") {
    const Case c = same3x3(2, 21, 10, 16, 24);
    Operands t = operands(kOperations[0], c);
    const Program prologue = leaky_relu_of_input(1);
    Program epilogue;
    epilogue.inputs = {{.operand = -1, .access = Access::full}, {.operand = 2, .access = Access::full}};
    epilogue.code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1}};
    epilogue.outputs = {{.source = 2, .operand = 0}};
    epilogue.registers = 3;
    const TestTensor raw = t.first, residual = random_tensor(c.dst(), 5, 40);
    t.first = leaky_relu(raw);
    const std::vector<reference::Array<float>> in{t.first.array(), t.second.array()}, out{t.want.array()};
    reference::conv2d<float>(&c.attributes, in, out);
    for (size_t i = 0; i < residual.values.size(); ++i) t.want.values[i] += residual.values[i];
    t.got.pixel_stride = 48;
    t.problem.inputs = {t.second.operand(), raw.operand(), residual.operand()};
    t.problem.outputs = {t.got.operand()};
    t.problem.prologue[0] = &prologue;
    t.problem.prologue_shape[0] = c.src();
    t.problem.epilogue = &epilogue;
    const int accepted = for_each_kernel(t.problem, [&](const KernelInfo& kernel) {
        run_step(*kernel.make(t.problem, kernel.isa), {&t.second, &raw, &residual}, {&t.got}, Order::shuffled);
        CHECK(error_of(t.got.values, t) <= bound_of(kernel, kBound));
    });
    CHECK(accepted >= static_cast<int>(available_isas().size()));
}

TEST_CASE("Weights of infinity never meet the rows of the padding") {
    // With a kernel as tall as this, most rows lie outside of the map: they are skipped, not multiplied by zero.
    const Case c{1, 2, 6, 3, 16, {.window = {.kernel = {5, 1}, .padding = {2, 2, 0, 0}}}};
    Operands t = operands(kOperations[0], c);
    for (size_t i = 0; i < 3 * 16; ++i) t.second.values[i] = std::numeric_limits<float>::infinity();
    for_each_kernel(t.problem, [&](const KernelInfo& kernel) {
        run_step(*kernel.make(t.problem, kernel.isa), {&t.first, &t.second}, {&t.got});
        for (const float value : t.got.values) CHECK(std::isfinite(value));
    });
}

TEST_CASE("The weight gradient of large maps keeps its precision") {
    // 16 x 256 x 256 pixels take a second in the reference, so one sample stands for them, and its value is close to
    // one everywhere: sums that only grow are the worst case for fp32. In registers at most 1,024 terms are added.
    const Case c = same3x3(1, 256, 256, 2, 3);
    Operands t = operands(kOperations[2], c);
    for (float& value : t.first.values) value = 1.0f + 0.1f * value;
    for (float& value : t.second.values) value = 1.0f + 0.1f * value;
    const std::vector<reference::Array<float>> in{t.first.array(), t.second.array()}, out{t.want.array()};
    reference::conv2d_weight_grad<float>(&c.attributes, in, out);
    for_each_kernel(t.problem, [&](const KernelInfo& kernel) {
        run_step(*kernel.make(t.problem, kernel.isa), {&t.first, &t.second}, {&t.got});
        CHECK(error_of(t.got.values, t) <= bound_of(kernel, 1e-6));
    });
}

TEST_CASE("Winograd takes large 3x3 maps unless strict math forbids it, and says why it refuses others") {
    const auto chosen = [](const Case& c, bool strict) {
        Problem problem;
        problem.op = "conv2d";
        problem.attributes = &c.attributes;
        problem.strict_math = strict;
        for (const Shape& shape : {c.src(), c.weights()}) problem.inputs.push_back({shape, DType::f32, shape[3]});
        problem.outputs = {{c.dst(), DType::f32, c.oc}};
        return choose(problem, Isa::baseline);
    };
    const Case large = same3x3(2, 64, 64, 32, 32);
    CHECK(chosen(large, false).chosen->name == "conv2d_fwd_winograd_f4x4_nhwc_f32");
    CHECK(chosen(large, true).chosen->name == "conv2d_fwd_direct_nhwc_f32");
    // From 16 samples on 38 MB of transformed weights are worth making, block by block; not for the two tiles of two
    // small ones.
    CHECK(chosen(same3x3(16, 7, 7, 512, 512), false).chosen->name == "conv2d_fwd_winograd_f4x4_by_channels_nhwc_f32");
    CHECK(chosen(same3x3(2, 3, 3, 512, 512), false).chosen->name == "conv2d_fwd_direct_nhwc_f32");
    const Choice first_layer = chosen(same3x3(2, 64, 64, 3, 16), false);
    CHECK(first_layer.chosen->name == "conv2d_fwd_direct_nhwc_f32");
    CHECK(std::any_of(first_layer.refused.begin(), first_layer.refused.end(), [](const auto& refusal) {
        return refusal.second.find("at least 16 channels, got 3 -> 16") != std::string::npos;
    }));
}

TEST_CASE("A problem that does not fit is refused with the reason") {
    const Case c = same3x3(1, 8, 8, 16, 16);
    const auto reason = [&](const auto& change) {
        Operands t = operands(kOperations[0], c);
        change(t.problem);
        const Choice choice = choose(t.problem, Isa::baseline);
        CHECK(choice.chosen == nullptr);
        return choice.refused.empty() ? std::string() : choice.refused[0].second;
    };
    const Conv2dAttributes groups{.window = c.attributes.window, .groups = 5};
    const Program program = leaky_relu_of_input(0);
    CHECK_THAT(reason([&](Problem& p) { p.inputs[1].shape = {3, 3, 8, 16}; }), Catch::Contains("weights 3x3x16x16"));
    CHECK_THAT(reason([&](Problem& p) { p.outputs[0].shape = {1, 9, 8, 16}; }), Catch::Contains("8x8"));
    CHECK_THAT(reason([&](Problem& p) { p.outputs[0].shape = {2, 8, 8, 16}; }), Catch::Contains("samples"));
    CHECK_THAT(reason([&](Problem& p) { p.attributes = &groups; }), Catch::Contains("groups"));
    CHECK_THAT(reason([&](Problem& p) { p.inputs.pop_back(); }), Catch::Contains("weights"));
    CHECK_THAT(reason([&](Problem& p) { p.inputs[0].dtype = DType::i32; }), Catch::Contains("f32"));
    CHECK_THAT(reason([&](Problem& p) { p.inputs[0].shape = {1, 0, 8, 16}; }), Catch::Contains("at least one element"));
    CHECK_THAT(reason([&](Problem& p) { p.prologue[1] = &program; }), Catch::Contains("prologue"));
}
