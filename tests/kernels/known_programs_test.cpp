#include "kernels/pointwise/known_programs.hpp"

#include <cmath>
#include <deque>

#include "kernels/pointwise/compiled_program.hpp"
#include "tests/kernels/programs.hpp"

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

/// The known program by itself: what would be the core's result is one more map in memory unless `core` is set.
struct KnownCase {
    Program program;
    std::vector<TestTensor> inputs;
    int core = -1;  ///< the input that is the core's result

    int output_count = 1;  ///< maps that it writes
    bool is_dense = false;

    KnownCase(const KnownProgram& known, const Shape& shape, bool by_sample, bool dense = false) : is_dense(dense) {
        const auto access = by_sample ? Access::sample_channel : Access::channel;
        const Shape vector = by_sample ? Shape{shape[0], 1, shape[3]} : Shape{shape[3]};
        for (const char letter : known.inputs) {
            const auto index = static_cast<int>(inputs.size());
            const bool map = letter == 'm' || letter == 'r';
            if (letter == 'r') core = index;
            program.inputs.push_back({.operand = index,
                                      .access = map             ? Access::full
                                                : letter == 's' ? Access::scalar
                                                                : access});
            // Pixels that lie apart, too.
            inputs.push_back(random_tensor(map             ? shape
                                           : letter == 's' ? Shape{1}
                                                           : vector,
                                           7 + static_cast<uint64_t>(index),
                                           letter == 'm' && index % 2 == 0 && !dense ? shape[3] + 5 : 0));
        }
        program.code.assign(known.code.begin(), known.code.begin() + static_cast<ptrdiff_t>(known.length));
        for (Instruction& instruction : program.code) {
            if (instruction.op == Opcode::sqrt)  // of a mean of squares
                for (TestTensor& tensor : inputs)
                    for (float& value : tensor.values) value = std::abs(value);
            instruction.imm0 = 0.2f + 0.01f * static_cast<float>(instruction.dst);  // a slope, a share
        }
        output_count = static_cast<int>(known.output_count);
        for (int o = 0; o < output_count; ++o)
            program.outputs.push_back({.source = known.outputs[static_cast<size_t>(o)], .operand = o});
        int result = output_count;
        for (size_t s = 0; s < known.sum_count; ++s) {
            const bool moments = known.sums[s].kind == Reduction::Kind::moments;
            program.reductions.push_back(
                {.kind = known.sums[s].kind,
                 .over = by_sample ? Reduction::Over::pixels : Reduction::Over::pixels_and_samples,
                 .source = known.sums[s].source,
                 .operand = result});
            if (moments) program.reductions.back().operand2 = result + 1;
            result += moments ? 2 : 1;
        }
        program.registers = static_cast<int>(known.inputs.size() + known.length);
    }

    /// The outputs of a run over all samples in chunks of `pixels`, map first.
    std::vector<TestTensor> run(Isa isa, const Shape& shape, bool by_sample, int64_t pixels, int64_t channels) {
        if (core >= 0) program.inputs[static_cast<size_t>(core)].operand = -1;
        std::vector<TestTensor> outputs;
        for (int o = 0; o < output_count; ++o) outputs.push_back(empty_tensor(shape, is_dense ? 0 : shape[3] + 3));
        const Shape vector = by_sample ? Shape{shape[0], 1, shape[3]} : Shape{shape[3]};
        for (const Reduction& reduction : program.reductions)
            for (int i = reduction.operand2 < 0 ? 1 : 2; i > 0; --i) outputs.push_back(empty_tensor(vector));
        std::vector<Operand> in, out;
        std::vector<const void*> read;
        std::vector<void*> written;
        std::deque<Guarded> memory;
        for (const TestTensor& tensor : inputs) {
            in.push_back(tensor.operand());
            memory.emplace_back(tensor, 0).put(tensor.values);
            read.push_back(memory.back().data());
        }
        for (const TestTensor& tensor : outputs) {
            out.push_back(tensor.operand());
            written.push_back(memory.emplace_back(tensor, 0).data());
        }
        const CompiledProgram compiled(program, in, out, {shape[0], shape[1] * shape[2], shape[3]}, isa);
        const Buffers buffers{.inputs = read.data(), .outputs = written.data()};
        const ProgramView& view = compiled.view();
        std::vector<float> scratch(static_cast<size_t>(view.scratch_floats) + 16);
        std::vector<double> partials;
        const int64_t chunks = (view.pixels + pixels - 1) / pixels;
        partials.resize(static_cast<size_t>(shape[0] * chunks * std::max<int64_t>(view.partial_doubles, 1)));
        for (int64_t u = 0; u < shape[0] * chunks; ++u) {
            double* slot = compiled.reduces() ? partials.data() + u * view.partial_doubles : nullptr;
            if (slot) view.clear(view, slot, 0, shape[3]);
            const int64_t first = u % chunks * pixels;
            for (int64_t c = 0; c < shape[3]; c += channels) {
                const int64_t width = std::min(channels, shape[3] - c);
                Chunk chunk{.sample = u / chunks,
                            .first_pixel = first,
                            .pixels = std::min(pixels, view.pixels - first),
                            .first_channel = c,
                            .channels = width};
                const float* result = core < 0 ? nullptr : inputs[static_cast<size_t>(core)].values.data();
                if (result) chunk.core = result + (chunk.sample * view.pixels + first) * shape[3] + c;
                chunk.core_stride = shape[3];
                view.prepare(view, buffers, chunk.sample, c, width, scratch.data());
                view.run(view, buffers, chunk, scratch.data(), slot);
            }
        }
        for (int64_t u = 0; compiled.reduces() && u < compiled.finalize_units(); ++u)
            compiled.finalize(u, buffers, partials.data(), shape[0] * chunks);
        for (size_t i = 0; i < outputs.size(); ++i) outputs[i].values = memory[inputs.size() + i].take();
        for (Guarded& operand : memory) CHECK(operand.intact());
        return outputs;
    }
};

std::optional<size_t> found(const KnownCase& test, int64_t channels) {
    std::vector<Operand> in;
    for (const TestTensor& tensor : test.inputs) in.push_back(tensor.operand());
    const std::vector<Operand> out(4, Operand{{1, 1, 1, channels}, DType::f32, channels});
    Program program = test.program;
    if (test.core >= 0) program.inputs[static_cast<size_t>(test.core)].operand = -1;
    return find_known_program(program, in, out, channels);
}

}  // namespace

TEST_CASE("A known program has the bits of its chain, and sums within rounding of its own") {
    for (size_t index = 0; index < known_programs.size(); ++index)
        for (const auto& [by_sample, dense] : {std::pair{false, false}, {true, false}, {false, true}})
            // Channels that are whole vectors, whole blocks, and neither; pixels beyond a block of sums.
            for (const Shape& shape : {Shape{2, 1, 67, 48}, Shape{1, 2, 521, 17}, Shape{2, 3, 5, 256}})
                for (const Isa isa : available_isas()) {
                    INFO("program " << index << ", " << shape << " " << name_of(isa) << (by_sample ? " by sample" : "")
                                    << (dense ? " dense" : ""));
                    KnownCase test(known_programs[index], shape, by_sample, dense);
                    REQUIRE(found(test, shape[3]) == index);
                    // An instruction more, whose result nobody reads: the same by a chain.
                    KnownCase chain = test;
                    chain.program.code.push_back(
                        {.op = Opcode::neg, .dst = static_cast<uint8_t>(chain.program.registers++), .a = 0});
                    REQUIRE_FALSE(found(chain, shape[3]));
                    struct Cut {
                        int64_t pixels, channels;
                        float tolerance;
                    };
                    // A chunk adds 33 values of at most about 4 in f32: 33 roundings of 6e-8 of 132 in the worst
                    // case, and the errors of several chunks seldom agree. Of the 1,042 in one go, 1,024 make a block:
                    // as many roundings of 6e-8 of up to some hundred, of which hardly more than the root adds up.
                    for (const Cut& cut : {Cut{33, shape[3], 3e-4f}, Cut{33, 16, 3e-4f}, Cut{2048, shape[3], 3e-3f}}) {
                        const auto got = test.run(isa, shape, by_sample, cut.pixels, cut.channels);
                        const auto want = chain.run(isa, shape, by_sample, cut.pixels, cut.channels);
                        const auto maps = static_cast<size_t>(test.output_count);
                        for (size_t i = 0; i < maps; ++i) CHECK(same_bits(got[i].values, want[i].values));
                        for (size_t i = maps; i < got.size(); ++i)
                            for (size_t v = 0; v < got[i].values.size(); ++v)
                                CHECK(std::abs(got[i].values[v] - want[i].values[v]) <=
                                      cut.tolerance + 1e-5f * std::abs(want[i].values[v]));
                    }
                }
}

TEST_CASE("Programs that differ from a known one are not taken for it") {
    KnownCase test(known_programs[3], {1, 2, 3, 32}, false);
    REQUIRE(found(test, 32) == 3u);
    CHECK_FALSE(found(test, 8));
    KnownCase other = test;
    other.program.code[2].b = 5;
    CHECK_FALSE(found(other, 32));
    other = test;
    other.program.code[0].op = Opcode::add;
    CHECK_FALSE(found(other, 32));
    other = test;
    other.program.inputs[1].access = Access::full;
    CHECK_FALSE(found(other, 32));
    other = test;
    other.program.outputs.push_back({.source = 7, .operand = 1});
    CHECK_FALSE(found(other, 32));
    other = test;
    other.program.reductions = {{.source = 8, .operand = 1}};
    CHECK_FALSE(found(other, 32));
    KnownCase sums(known_programs[5], {1, 2, 3, 32}, false);
    REQUIRE(found(sums, 32) == 5u);
    sums.program.reductions.pop_back();
    CHECK_FALSE(found(sums, 32));
}
