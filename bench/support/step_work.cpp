#include "bench/support/step_work.hpp"

#include <algorithm>
#include <type_traits>

#include "bench/probe.hpp"
#include "bench/support/rounds.hpp"
#include "liven/core/error.hpp"

namespace liven::bench {
namespace {

kernels::Operand operand(const Shape& shape, DType dtype = DType::f32) {
    return {.shape = shape, .dtype = dtype, .pixel_stride = shape.rank() == 0 ? 1 : shape[-1]};
}

PoolAttributes pool_of(const ShapeLine& line) {
    return {.window = {.kernel = line.extent("size", 1),
                       .stride = line.extent("stride", 1),
                       .padding = line.padding(),
                       .dilation = line.extent("dilation", 1),
                       .ceil_mode = line.integer("ceil_mode", 0) != 0},
            .count_include_pad = line.integer("count_include_pad", 0) != 0};
}

/// How a program reads an input beside a result of this shape.
kernels::Access access_of(const Shape& input, const Shape& result) {
    if (input == result) return kernels::Access::full;
    if (input.count() == 1) return kernels::Access::scalar;
    if (input.count() == result[-1]) return kernels::Access::channel;
    if (input.count() * result[-1] == result.count()) return kernels::Access::pixel;
    return kernels::Access::sample_channel;
}

}  // namespace

LineProblem::LineProblem(const ShapeLine& line) {
    problem_.op = line.op;
    for (const Shape& shape : line.inputs) problem_.inputs.push_back(operand(shape));
    for (const Shape& shape : line.outputs) problem_.outputs.push_back(operand(shape));
    if (line.is_conv2d()) {
        const Convolution c = convolution_of(line);
        attributes_ = Conv2dAttributes{.window = c.window, .groups = c.groups, .middle_is_sum = c.middle_is_sum};
        weights_ = line.op == "conv2d_weight_grad" ? -1 : 1;
    } else if (line.is_matmul()) {
        attributes_ = MatmulAttributes{line.integer("transpose_a", 0) != 0, line.integer("transpose_b", 0) != 0};
        weights_ = line.integer("transpose_a", 0) != 0 ? -1 : 1;
    } else if (line.op.find("pool") != std::string::npos) {
        attributes_ = pool_of(line);
    } else if (line.op == "moments" || line.op.starts_with("reduce_")) {
        attributes_ = ReduceAttributes{static_cast<uint32_t>(line.integer("axes", 0))};
    } else if (line.op == "concat") {
        attributes_ = ConcatAttributes{line.integer("axis", line.outputs[0].rank() - 1)};
    } else if (line.op == "slice") {
        attributes_ = SliceAttributes{line.axes("begin")};
    } else if (line.op == "pad") {
        attributes_ = PadAttributes{line.axes("low"), line.axes("high"), static_cast<float>(line.number("value", 0))};
    } else if (line.op == "permute") {
        attributes_ = PermuteAttributes{line.axes("axis")};
    } else if (line.op.starts_with("resize")) {
        attributes_ = ResizeAttributes{static_cast<ResizeAttributes::Mode>(line.integer("mode", 0))};
    } else if (line.op == "one_hot") {
        problem_.inputs[0].dtype = DType::i32;
    } else if (line.op != "copy" && kernels::opcode_from(line.op)) {  // a copy has a kernel of its own as well
        make_program(line);
    } else if (line.op != "broadcast" && !line.attributes.empty()) {  // a broadcast's are its result's shape
        throw Error(line.op, "the benchmarks cannot read the attributes in '" + line.text + "'");
    }
    problem_.attributes = std::visit(
        [](const auto& attributes) -> const void* {
            return std::is_same_v<decltype(attributes), const std::monostate&> ? nullptr : &attributes;
        },
        attributes_);
}

/// A single operation, as a program of one instruction.
void LineProblem::make_program(const ShapeLine& line) {
    const kernels::Opcode op = *kernels::opcode_from(line.op);
    kernels::Instruction code{
        .op = op,
        .imm0 = static_cast<float>(line.number(op == kernels::Opcode::dropout ? "rate" : "imm0", 0)),
        .imm1 = static_cast<float>(line.number(op == kernels::Opcode::dropout ? "scale" : "imm1", 0)),
        .key = static_cast<uint32_t>(line.integer("key", 0))};
    uint8_t* registers[] = {&code.a, &code.b, &code.c};
    const auto count = static_cast<uint8_t>(line.inputs.size());
    if (kernels::operands_of(op) != count)
        throw Error(line.op, "expected " + std::to_string(kernels::operands_of(op)) + " inputs in '" + line.text + "'");
    for (uint8_t i = 0; i < count; ++i) {
        *registers[i] = i;
        const DType dtype = op == kernels::Opcode::dropout && i > 0 ? DType::i64 : DType::f32;
        problem_.inputs[i].dtype = dtype;
        program_.inputs.push_back({.operand = i, .access = access_of(line.inputs[i], line.outputs[0]), .dtype = dtype});
    }
    code.dst = count;
    program_.code = {code};
    program_.outputs = {{.source = count, .operand = 0}};
    program_.registers = count + 1;
    problem_.op = "pointwise";
    problem_.epilogue = &program_;
    problem_.epilogue_shape = line.outputs[0];
}

StepWork::StepWork(const kernels::Problem& problem, const kernels::KernelInfo& kernel, Team& team)
    : team_(team),
      step_(kernel.make(problem, kernel.isa)),
      workspace_(std::max<size_t>(step_->workspace_bytes, 64)),
      next_(step_->stages.size() * static_cast<size_t>(team.threads())) {
    // Two floats an element: an i64 scalar has room. Positive numbers keep square roots and logarithms ordinary.
    const auto add = [&](const kernels::Operand& o) {
        // A slice of a wider map takes the room of all of it.
        const int64_t pixels = o.shape.count() / std::max<int64_t>(o.channels(), 1);
        Buffer& buffer = operands_.emplace_back(filled(pixels * std::max(o.pixel_stride, o.channels()) + 1));
        if (o.dtype == DType::i64) *buffer.as<int64_t>() = 1;
        return buffer.data();
    };
    for (const kernels::Operand& input : problem.inputs) inputs_.push_back(add(input));
    for (const kernels::Operand& output : problem.outputs) outputs_.push_back(add(output));
    for (int i = 0; i < team.threads(); ++i) scratch_.emplace_back(step_->scratch_bytes + 2 * kernels::scratch_gap);
}

void StepWork::run_stage(int stage, int thread) {
    const kernels::Buffers buffers{inputs_.data(), outputs_.data(), workspace_.as<std::byte>(),
                                   scratch_[static_cast<size_t>(thread)].as<std::byte>() + kernels::scratch_gap};
    const int64_t units = step_->stages[static_cast<size_t>(stage)].units, threads = team_.threads();
    for (int64_t looked = 0; looked < threads; ++looked) {
        const int64_t share = (thread + looked) % threads, first = units * share / threads;
        std::atomic<int64_t>& next = next_[static_cast<size_t>(stage * threads + share)].unit;
        for (int64_t unit = first + next++; unit < units * (share + 1) / threads; unit = first + next++)
            step_->run(stage, unit, buffers);
    }
}

void StepWork::run() {
    for (Next& next : next_) next.unit = 0;
    const int stages = static_cast<int>(step_->stages.size());
    team_.run([&](int thread) {
        for (int stage = 0; stage < stages; ++stage) {
            run_stage(stage, thread);
            if (stage + 1 < stages && team_.threads() > 1) meeting_.arrive(team_.threads());
        }
    });
}

void StepWork::chill(int input) const {
    const Buffer& buffer = operands_[static_cast<size_t>(input)];
    make_cold(buffer.data(), buffer.bytes());
}

}  // namespace liven::bench
