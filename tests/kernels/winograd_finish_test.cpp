#include <functional>

#include "kernels/winograd/finish.hpp"
#include "liven/core/attributes.hpp"
#include "tests/kernels/programs.hpp"

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

/// Operands of every program here, whether it reads them or not: the convolution's own are 0 and 1.
constexpr int bias = 2, map = 3, mean = 4;

/// Registers 0 to 3 are the core, the bias, the map and the mean.
struct Form {
    const char* name;
    std::vector<Instruction> code;
    uint8_t written;
    std::vector<Reduction> reductions = {};

    Program program() const {
        Program out;
        const auto uses = [&](uint8_t reg) {
            bool used = written == reg;
            for (const Instruction& i : code)
                used |= i.a == reg || (operands_of(i.op) > 1 && i.b == reg) || (operands_of(i.op) > 2 && i.c == reg);
            return used;
        };
        // Only what is read is an input; registers keep their order.
        std::array<uint8_t, 16> to{};
        const ProgramInput inputs[] = {{.operand = -1},
                                       {.operand = bias, .access = Access::channel},
                                       {.operand = map},
                                       {.operand = mean, .access = Access::channel}};
        uint8_t next = 0;
        for (uint8_t reg = 0; reg < 4; ++reg) {
            if (!uses(reg)) continue;
            out.inputs.push_back(inputs[reg]);
            to[reg] = next++;
        }
        for (uint8_t reg = 4; reg < 16; ++reg) to[reg] = next++;
        for (Instruction i : code) {
            i.dst = to[i.dst];
            i.a = to[i.a];
            i.b = to[i.b];
            i.c = to[i.c];
            out.code.push_back(i);
        }
        out.outputs = {{.source = to[written], .operand = 0}};
        for (Reduction r : reductions) {
            r.source = to[r.source];
            out.reductions.push_back(r);
        }
        out.registers = next;
        return out;
    }
};

Reduction moments(uint8_t source) {
    return {.kind = Reduction::Kind::moments, .source = source, .operand = 1, .operand2 = 2};
}
Reduction sum(uint8_t source, int operand) {
    return {.kind = Reduction::Kind::sum, .source = source, .operand = operand};
}

const Instruction biased{.op = Opcode::add, .dst = 4, .a = 0, .b = 1};
const Instruction leaky{.op = Opcode::leaky_relu, .dst = 5, .a = 4, .imm0 = 0.2f};
const Instruction added{.op = Opcode::add, .dst = 6, .a = 2, .b = 5};
const Instruction stepped{.op = Opcode::leaky_step, .dst = 4, .a = 2, .b = 0, .imm0 = 0.1f};
const Instruction map_leaky{.op = Opcode::leaky_relu, .dst = 4, .a = 2, .imm0 = 0.3f};
const Instruction centred{.op = Opcode::sub, .dst = 5, .a = 4, .b = 3};
const Instruction product{.op = Opcode::mul, .dst = 6, .a = 0, .b = 5};

std::vector<Form> known_forms() {
    return {
        {"bias and activation", {biased, leaky}, 5},
        {"relu", {{.op = Opcode::relu, .dst = 4, .a = 0}}, 4},
        {"bias", {{.op = Opcode::add, .dst = 4, .a = 1, .b = 0}}, 4},
        {"statistics of the core", {}, 0, {moments(0)}},
        {"statistics of the activated result", {biased, leaky}, 5, {moments(5)}},
        {"statistics behind an activation that is not kept", {biased, leaky}, 4, {moments(5)}},
        {"residual", {{.op = Opcode::add, .dst = 4, .a = 0, .b = 2}}, 4},
        {"residual and statistics", {biased, leaky, added}, 6, {moments(6)}},
        {"statistics of a sum that is not kept", {biased, leaky, added}, 5, {moments(6)}},
        {"gradient of an activation", {stepped}, 4, {sum(4, 1)}},
        {"gradient of an activation, not summed", {stepped}, 4},
        {"gradient of a batch-norm",
         {map_leaky, centred, product, {.op = Opcode::copy, .dst = 7, .a = 0}},
         7,
         {sum(6, 1), sum(0, 2)}},
        {"gradient of a batch-norm without activation, the other way round",
         {{.op = Opcode::sub, .dst = 5, .a = 2, .b = 3}, {.op = Opcode::mul, .dst = 6, .a = 5, .b = 0}},
         0,
         {sum(0, 2), sum(6, 1)}},
    };
}

struct Tensors {
    TestTensor src, weights, bias, map, mean, dst, core, first, second;

    Tensors(const Shape& shape, int64_t channels, int64_t gap)
        : src(random_tensor(shape, 1, shape[3] + gap)),
          weights(random_tensor({3, 3, shape[3], channels}, 2)),
          bias(random_tensor({channels}, 3)),
          map(random_tensor({shape[0], shape[1], shape[2], channels}, 4, channels + gap)),
          mean(random_tensor({channels}, 5)),
          dst(empty_tensor(map.shape, channels + gap)),
          core(empty_tensor(map.shape)),
          first(empty_tensor({channels})),
          second(empty_tensor({channels})) {}

    std::vector<const TestTensor*> inputs() const { return {&src, &weights, &bias, &map, &mean}; }
    std::vector<TestTensor*> outputs() { return {&dst, &first, &second}; }
};

Problem convolution(const Conv2dAttributes& attributes, const std::vector<const TestTensor*>& inputs,
                    const std::vector<TestTensor*>& outputs) {
    Problem problem;
    problem.op = "conv2d";
    problem.attributes = &attributes;
    for (const TestTensor* tensor : inputs) problem.inputs.push_back(tensor->operand());
    for (const TestTensor* tensor : outputs) problem.outputs.push_back(tensor->operand());
    return problem;
}

const Conv2dAttributes same{.window = {.kernel = 3, .padding = {1, 1, 1, 1}}};

Problem problem_with(const Program& program, Tensors& t) {
    Problem problem = convolution(same, t.inputs(), t.outputs());
    problem.epilogue = &program;
    problem.epilogue_shape = t.dst.shape;
    return problem;
}

std::optional<WinogradEpilogue> read(const Program& program, Tensors& t) {
    return WinogradEpilogue::of(problem_with(program, t), t.dst.shape, Isa::baseline);
}

const KernelInfo* kernel_of(std::string_view name, Isa isa) {
    for (const KernelInfo& kernel : registry())
        if (kernel.name == name && kernel.isa == isa) return &kernel;
    return nullptr;
}

/// The program by itself, behind a convolution that stores its result.
void run_apart(Program program, Tensors& t, Isa isa) {
    const KernelInfo* winograd = kernel_of("conv2d_fwd_winograd_f4x4_nhwc_f32", isa);
    const Problem core = convolution(same, {&t.src, &t.weights}, {&t.core});
    run_step(*winograd->make(core, isa), {&t.src, &t.weights}, {&t.core});
    std::vector<const TestTensor*> inputs = t.inputs();
    for (ProgramInput& input : program.inputs)
        if (input.operand < 0) input.operand = static_cast<int>(inputs.size());
    inputs.push_back(&t.core);
    const Problem apart = problem_of(program, inputs, t.outputs());
    for (const KernelInfo& kernel : registry())
        if (kernel.op == "pointwise" && kernel.isa == isa) run_step(*kernel.make(apart, isa), inputs, t.outputs());
}

}  // namespace

TEST_CASE("What Winograd does with results in registers has the bits of the program run by itself") {
    // Tiles over either edge, more pixels than a block of sums takes, channels that are no whole pair of vectors, and
    // so many of them that a unit takes a part.
    struct Size {
        Shape src;
        int64_t channels, gap;
    };
    for (const Size& size : {Size{{2, 17, 19, 16}, 16, 0}, Size{{1, 40, 67, 16}, 48, 5}, Size{{3, 3, 2, 32}, 16, 16},
                             Size{{1, 9, 11, 80}, 176, 16}})
        for (const Form& form : known_forms())
            for (const Isa isa : available_isas()) {
                INFO(form.name << ", " << size.src << " to " << size.channels << ", " << name_of(isa));
                Tensors want(size.src, size.channels, size.gap), got = want;
                const Program program = form.program();
                REQUIRE(read(program, got));
                run_apart(program, want, isa);
                const KernelInfo* winograd = kernel_of("conv2d_fwd_winograd_f4x4_nhwc_f32", isa);
                const auto step = winograd->make(problem_with(program, got), isa);
                run_step(*step, got.inputs(), got.outputs(), Order::shuffled);
                CHECK(same_bits(got.dst.values, want.dst.values));
                // Sums of up to 8,000 values in another order: fp32 within blocks, and positive and negative nearly
                // cancel, so errors count against the sum of the magnitudes, at most a hundred times the sum's.
                const size_t results = form.reductions.empty()           ? 0
                                       : form.reductions[0].operand2 > 0 ? 2
                                                                         : form.reductions.size();
                const TestTensor* const pairs[2][2] = {{&got.first, &want.first}, {&got.second, &want.second}};
                for (size_t r = 0; r < results; ++r)
                    CHECK(relative_error(pairs[r][0]->values, pairs[r][1]->values) <= 1e-5);
                const std::vector<float> first = got.first.values, second = got.second.values;
                run_step(*step, got.inputs(), got.outputs(), Order::backward);
                CHECK((results < 1 || same_bits(first, got.first.values)));
                CHECK((results < 2 || same_bits(second, got.second.values)));
            }
}

TEST_CASE("Epilogues that Winograd does not know in registers are left to the programs") {
    const Instruction again{.op = Opcode::leaky_relu, .dst = 7, .a = 5, .imm0 = 0.5f};
    const Instruction core_leaky{.op = Opcode::leaky_relu, .dst = 7, .a = 0, .imm0 = 0.2f};
    const Instruction plain_sum{.op = Opcode::add, .dst = 7, .a = 2, .b = 4};
    const std::vector<Form> forms = {
        {"another function", {{.op = Opcode::tanh, .dst = 4, .a = 0}}, 4},
        {"relu and leaky_relu", {{.op = Opcode::relu, .dst = 4, .a = 0}, leaky}, 5},
        {"two activations", {biased, leaky, again}, 7},
        {"the bias in one place and not in the other", {biased}, 0, {moments(4)}},
        {"the activation of what has no bias yet", {biased, core_leaky}, 4, {moments(7)}},
        {"a residual before and an activation beside", {biased, leaky, plain_sum}, 7, {moments(5)}},
        {"the bias twice", {biased, {.op = Opcode::add, .dst = 5, .a = 4, .b = 1}}, 5},
        {"moments of a gradient", {stepped}, 4, {moments(4)}},
        {"a sum where moments are meant", {biased, leaky}, 5, {sum(5, 1)}},
        {"the map written", {map_leaky, centred, product}, 2, {sum(6, 1), sum(0, 2)}},
        {"moments and a sum", {biased, leaky}, 5, {moments(5), sum(4, 2)}},
    };
    Tensors t({1, 9, 9, 16}, 16, 0);
    for (const Form& form : forms) {
        INFO(form.name);
        const Program program = form.program();
        CHECK_FALSE(read(program, t));
    }
    Program two_outputs = known_forms()[0].program();
    two_outputs.outputs.push_back({.source = 2, .operand = 1});
    CHECK_FALSE(read(two_outputs, t));
    Tensors narrow({1, 9, 9, 16}, 24, 0);
    for (const Form& form : known_forms()) CHECK_FALSE(read(form.program(), narrow));
}
