#include "kernels/pointwise/compiled_program.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "kernels/by_isa.hpp"
#include "kernels/native_bf16.hpp"
#include "kernels/pointwise/chains.hpp"
#include "kernels/pointwise/finalize_slots.hpp"
#include "kernels/pointwise/known_programs.hpp"
#include "kernels/pointwise/table.hpp"
#include "liven/core/error.hpp"

namespace liven::kernels {
namespace {

constexpr int64_t longest_row = 1024;
// Rows are shifted against each other by more than the store buffer holds: a load may not wait for an unfinished store
// whose address agrees in the low twelve bits.
constexpr int64_t row_gap = 272;
constexpr size_t cache_bytes = 24 * 1024;  // of the smallest L1, 32 KiB, with room for what streams through

[[noreturn]] void refuse(const std::string& what) { throw Error("pointwise", what); }

const PointwiseTable& table_of(Isa isa) {
    return *by_isa(isa, pointwise_table_baseline, pointwise_table_avx2, pointwise_table_avx512)();
}

std::string str(const Walk& walk) { return Shape{walk.samples, walk.pixels, walk.channels}.str(); }

/// How a `full` operand lies: floats from pixel to pixel.
int64_t full_stride(const Operand& operand, const Walk& walk, const std::string& name) {
    if (operand.shape.count() != walk.samples * walk.pixels * walk.channels)
        refuse(name + " expects " + str(walk) + " values, but its shape is " + operand.shape.str());
    if (operand.channels() == walk.channels) return operand.pixel_stride;
    if (operand.dense() && walk.channels == 1) return 1;
    if (operand.dense() && walk.pixels * walk.samples == 1) return walk.channels;
    refuse(name + " expects " + std::to_string(walk.channels) + " channels, but its shape is " + operand.shape.str());
}

void expect_count(const Operand& operand, int64_t count, const std::string& name, std::string_view access) {
    if (operand.shape.count() != count)
        refuse(name + " is read " + std::string(access) + " and expects " + std::to_string(count) +
               " values, but its shape is " + operand.shape.str());
}

/// Row of one value (or one row of C values) a pixel or sample, wherever they lie.
int64_t row_stride(const Operand& operand, int64_t width, const std::string& name) {
    if (operand.channels() == width) return operand.pixel_stride;
    if (operand.dense()) return width;
    refuse(name + " expects rows of " + std::to_string(width) + ", but its shape is " + operand.shape.str());
}

/// Assigns scratch rows by lifetime.
class Rows {
public:
    int32_t take() {
        const auto free = std::find(busy_.begin(), busy_.end(), false);
        const auto row = static_cast<int32_t>(free - busy_.begin());
        if (free == busy_.end())
            busy_.push_back(true);
        else
            *free = true;
        return row;
    }
    void give(int32_t row) { busy_[static_cast<size_t>(row)] = false; }
    int32_t count() const { return static_cast<int32_t>(busy_.size()); }

private:
    std::vector<bool> busy_;
};

/// The check and translation of one program.
class Compiler {
public:
    Compiler(const Program& program, std::span<const Operand> step_inputs, std::span<const Operand> step_outputs,
             const Walk& walk, const LinkTable& links)
        : program_(program), step_inputs_(step_inputs), step_outputs_(step_outputs), walk_(walk), link_table_(links) {}

    std::vector<ViewInput> inputs;
    std::vector<ViewInstruction> code;
    std::vector<ViewOutput> outputs;
    std::vector<ViewReduction> reductions;
    Chains chains;
    int32_t rows = 0;
    int32_t busy_rows = 0;  ///< rows that more than the end of a tile passes through
    bool all_chained = false;
    int64_t partial_doubles = 0;
    int64_t block_floats = 0;

    void compile() {
        if (walk_.samples < 1 || walk_.pixels < 1 || walk_.channels < 1) refuse("nothing to walk: " + str(walk_));
        if (program_.inputs.size() > 256 || program_.code.size() > 256) refuse("more than 256 inputs or instructions");
        for (const ProgramInput& input : program_.inputs) add_input(input);
        for (const Instruction& instruction : program_.code) add_instruction(instruction);
        for (const ProgramOutput& output : program_.outputs) add_output(output);
        for (const Reduction& reduction : program_.reductions) add_reduction(reduction);
        write_through();
        assign_rows();
        make_chains();
    }

private:
    const Operand& operand(std::span<const Operand> side, int index, const std::string& name) const {
        if (index < 0 || static_cast<size_t>(index) >= side.size())
            refuse(name + " is operand " + std::to_string(index) + " of " + std::to_string(side.size()));
        return side[static_cast<size_t>(index)];
    }

    void add_input(const ProgramInput& input) {
        const std::string name = "%" + std::to_string(inputs.size());
        ViewInput made{.operand = input.operand, .access = input.access};
        defined_.push_back(true);
        if (input.operand < 0) {
            if (input.access != Access::full) refuse(name + " is the core's result and must be read full");
            inputs.push_back(made);
            return;
        }
        const Operand& source = operand(step_inputs_, input.operand, name);
        made.wide = input.dtype == DType::i64 && input.access == Access::scalar;
        made.bytes = source.dtype == DType::u8 && input.dtype == DType::u8 && input.access == Access::full;
        // Values are floats to the program however they are stored.
        made.bf16 = source.dtype == DType::bf16 && input.dtype == DType::f32;
        if (!made.bf16 && (source.dtype != input.dtype || (input.dtype != DType::f32 && !made.wide && !made.bytes)))
            refuse(name + " expects f32 values, u8 pixels or an i64 scalar, but its operand is " +
                   std::string(liven::name_of(source.dtype)));
        if (made.bf16 && input.access != Access::full) refuse(name + " is stored in bf16, which is read full only");
        place(made, source, name);
        inputs.push_back(made);
    }

    void place(ViewInput& input, const Operand& source, const std::string& name) const {
        // One channel a pixel: its value is everybody's.
        if (walk_.channels == 1 && input.access == Access::channel) input.access = Access::scalar;
        switch (input.access) {
            case Access::full:
                input.pixel_stride = full_stride(source, walk_, name);
                return;
            case Access::channel:
                expect_count(source, walk_.channels, name, "by channel");
                row_stride(source, walk_.channels, name);
                return;
            case Access::sample_channel:
                expect_count(source, walk_.samples * walk_.channels, name, "by sample and channel");
                input.pixel_stride = row_stride(source, walk_.channels, name);
                return;
            case Access::pixel:
                expect_count(source, walk_.samples * walk_.pixels, name, "by pixel");
                input.pixel_stride = row_stride(source, 1, name);
                return;
            case Access::scalar:
                expect_count(source, 1, name, "as a scalar");
                return;
        }
        refuse(name + " has an unknown access");
    }

    /// Values stored as bytes are there for `widen` alone, as in the operations that programs are made of.
    void expect_floats(int index, const std::string& reader) const {
        const auto i = static_cast<size_t>(index);
        if (i < inputs.size() && inputs[i].bytes) refuse(reader + " expects %" + std::to_string(index) + " to be f32");
    }
    void expect_value(int index, const std::string& reader, bool wide = false) const {
        const auto i = static_cast<size_t>(index);
        if (i >= defined_.size() || !defined_[i])
            refuse(reader + " reads %" + std::to_string(index) + " before it is made");
        if ((i < inputs.size() && inputs[i].wide) != wide)
            refuse(reader + " expects %" + std::to_string(index) + (wide ? " to be an i64 scalar" : " to be f32"));
    }

    void add_instruction(const Instruction& instruction) {
        if (instruction.op > Opcode::dropout)
            refuse("unknown opcode " + std::to_string(static_cast<int>(instruction.op)));
        const std::string name(kernels::name_of(instruction.op));
        const int operands = operands_of(instruction.op);
        const bool drops = instruction.op == Opcode::dropout;
        expect_value(instruction.a, name);
        const bool widens = instruction.op == Opcode::widen;
        if (widens && (instruction.a >= inputs.size() || !inputs[instruction.a].bytes))
            refuse(name + " expects %" + std::to_string(instruction.a) + " to be an input of u8 pixels");
        if (!widens) expect_floats(instruction.a, name);
        for (int i = 1; i < operands; ++i) expect_floats(i == 1 ? instruction.b : instruction.c, name);
        if (operands > 1) expect_value(instruction.b, name, drops);
        if (operands > 2) expect_value(instruction.c, name, drops);
        if (defined_.size() <= instruction.dst) defined_.resize(size_t{instruction.dst} + 1, false);
        if (defined_[instruction.dst]) refuse(name + " writes %" + std::to_string(instruction.dst) + " a second time");
        defined_[instruction.dst] = true;
        code.push_back({.op = widens ? Opcode::copy : instruction.op,  // the input's row holds floats already
                        .dst = instruction.dst,
                        .a = instruction.a,
                        // Unused operands name one that exists: the interpreter looks all three up.
                        .b = operands > 1 ? instruction.b : instruction.a,
                        .c = operands > 2 ? instruction.c : instruction.a,
                        .imm0 = instruction.imm0,
                        .imm1 = instruction.imm1,
                        .key = instruction.key});
    }

    void add_output(const ProgramOutput& output) {
        const std::string name = "output %" + std::to_string(output.source);
        expect_value(output.source, name);
        expect_floats(output.source, name);
        ViewOutput made{.source = output.source, .operand = output.operand, .pixel_stride = 0};
        if (output.operand >= 0) {
            const Operand& target = operand(step_outputs_, output.operand, name);
            if (target.dtype != DType::f32 && target.dtype != DType::bf16) refuse(name + " must be f32 or bf16");
            made.bf16 = target.dtype == DType::bf16;
            made.pixel_stride = full_stride(target, walk_, name);
        }
        if (made.bf16) {
            made.source = narrow(output.source);
        } else if (output.source < inputs.size()) {
            // An input that is an output too takes a register, so that outputs are always made by an instruction.
            const auto copy = static_cast<uint16_t>(256 + outputs.size());
            code.push_back(
                {.op = Opcode::copy, .dst = copy, .a = output.source, .b = output.source, .c = output.source});
            made.source = copy;
        }
        outputs.push_back(made);
        if (outputs.size() >= 256) refuse("more than 255 outputs");
    }

    /// Has the register rounded to bf16 right behind the instruction that makes it; returns the rounded one.
    uint16_t narrow(uint16_t source) {
        const auto rounded = static_cast<uint16_t>(256 + outputs.size());
        auto place = std::find_if(code.begin(), code.end(), [&](const ViewInstruction& i) { return i.dst == source; });
        if (place != code.end()) ++place;
        code.insert(place,
                    {.op = Opcode::copy, .dst = rounded, .a = source, .b = source, .c = source, .narrows = true});
        return rounded;
    }

    void add_reduction(const Reduction& reduction) {
        const std::string name = "reduction of %" + std::to_string(reduction.source);
        expect_value(reduction.source, name);
        expect_floats(reduction.source, name);
        const bool moments = reduction.kind == Reduction::Kind::moments;
        expect_result(reduction, reduction.operand, name);
        if (moments) expect_result(reduction, reduction.operand2, name);
        const int64_t rows_of_channels = moments ? 3 : 1;
        reductions.push_back({.kind = reduction.kind,
                              .over = reduction.over,
                              .source = reduction.source,
                              .operand = reduction.operand,
                              .operand2 = reduction.operand2,
                              .slot_offset = partial_doubles,
                              .block_offset = block_floats});
        partial_doubles += rows_of_channels * walk_.channels;
        block_floats += rows_of_channels * walk_.channels;
    }

    void expect_result(const Reduction& reduction, int index, const std::string& name) const {
        const Operand& result = operand(step_outputs_, index, name);
        int64_t count = 1;
        if (reduction.over != Reduction::Over::everything) count = walk_.channels;
        if (reduction.over == Reduction::Over::pixels) count *= walk_.samples;
        // The channels of one pixel lie side by side, however far the next would be.
        const bool together = result.dense() || result.shape.count() == result.channels();
        if (result.dtype != DType::f32 || !together || result.shape.count() != count)
            refuse(name + " gives " + std::to_string(count) + " dense f32 values, but its output is " +
                   result.shape.str());
    }

    /// Registers whose values lie side by side in an operand.
    std::vector<bool> streams() const {
        std::vector<bool> out(register_limit, false);
        for (size_t i = 0; i < inputs.size(); ++i)
            out[i] = inputs[i].access == Access::full && inputs[i].operand >= 0 && !inputs[i].bytes &&
                     inputs[i].pixel_stride == walk_.channels;
        for (const ViewOutput& output : outputs)
            if (output.operand >= 0 && output.pixel_stride == walk_.channels) out[output.source] = true;
        return out;
    }

    std::vector<Layout> layouts() const {
        std::vector<Layout> out(register_limit, Layout::row);
        for (size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i].access != Access::full && inputs[i].access != Access::pixel)
                out[i] = Layout::repeats;
            else if (inputs[i].access == Access::full && !inputs[i].bytes && inputs[i].operand < 0)
                out[i] = Layout::core;
            else if (inputs[i].access == Access::full && !inputs[i].bytes && inputs[i].pixel_stride == walk_.channels)
                out[i] = Layout::map;
        }
        for (const ViewInstruction& instruction : code) {
            if (instruction.output < 0) continue;
            const ViewOutput& output = outputs[static_cast<size_t>(instruction.output)];
            if (output.operand < 0)
                out[instruction.dst] = Layout::sink;
            else if (output.pixel_stride == walk_.channels)
                out[instruction.dst] = Layout::map;
        }
        return out;
    }

    void make_chains() {
        std::vector<uint16_t> kept;
        for (const ViewOutput& output : outputs) kept.push_back(output.source);
        for (const ViewReduction& reduction : reductions) kept.push_back(reduction.source);
        RegisterTraits traits{.layouts = layouts(), .streams = streams(), .bf16 = {}};
        for (const ViewInput& input : inputs) traits.bf16.push_back(input.bf16);
        chains = kernels::make_chains(code, kept, traits, link_table_);
        all_chained = std::all_of(chains.runs.begin(), chains.runs.end(), [](const ViewRun& r) { return r.link >= 0; });
        for (size_t i = 0; i < inputs.size(); ++i) {
            inputs[i].fetched = chains.fetched[i];
            inputs[i].widened = chains.widened[i];
            if (inputs[i].widened) traits.layouts[i] = Layout::row;
            inputs[i].layout = traits.layouts[i];
        }
        for (ViewInstruction& instruction : code) instruction.layout = traits.layouts[instruction.dst];
        for (ViewOutput& output : outputs) {
            output.fetched = chains.fetched[output.source];
            output.layout = traits.layouts[output.source];
        }
        for (ViewReduction& reduction : reductions) reduction.layout = traits.layouts[reduction.source];
        const bool in_place = all_chained && walk_.channels % link_table_.block == 0;
        std::vector<bool> busy(static_cast<size_t>(rows), false);
        for (const ViewInstruction& instruction : code)
            if (chains.stored[instruction.dst]) busy[static_cast<size_t>(instruction.row)] = true;
        for (const ViewInput& input : inputs)
            if (input.row >= 0 && input.access != Access::scalar && !(in_place && input.layout == Layout::repeats))
                busy[static_cast<size_t>(input.row)] = true;
        busy_rows = static_cast<int32_t>(std::count(busy.begin(), busy.end(), true));
    }

    /// Lets an instruction write straight to its output. The output may lie in the memory of an input: then only if
    /// nobody reads that input afterwards, which shows when the pointers are known. A sink may be the core's own row.
    void write_through() {
        for (size_t i = 0; i < outputs.size(); ++i)
            for (size_t j = 0; j < code.size(); ++j) {
                if (code[j].dst != outputs[i].source || code[j].output >= 0) continue;
                outputs[i].late_inputs = inputs_read_after(j);
                if (outputs[i].operand >= 0 || outputs[i].late_inputs == 0) code[j].output = static_cast<int32_t>(i);
            }
    }

    /// As bits; one too far for a bit counts as all.
    uint64_t inputs_read_after(size_t place) const {
        uint64_t read = 0;
        const auto note = [&](uint16_t reg) {
            if (reg < inputs.size()) read |= reg < 64 ? uint64_t{1} << reg : ~uint64_t{0};
        };
        for (size_t i = place + 1; i < code.size(); ++i)
            for (const uint16_t reg : {code[i].a, code[i].b, code[i].c}) note(reg);
        for (const ViewReduction& reduction : reductions) note(reduction.source);
        return read;
    }

    void assign_rows() {
        std::array<size_t, register_limit> last_use{};
        for (size_t i = 0; i < code.size(); ++i)
            for (const uint16_t used : {code[i].dst, code[i].a, code[i].b, code[i].c}) last_use[used] = i;
        for (const ViewOutput& output : outputs) last_use[output.source] = code.size();
        for (const ViewReduction& reduction : reductions) last_use[reduction.source] = code.size();

        std::array<int32_t, register_limit> row{};
        row.fill(-1);
        Rows pool;
        for (size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i].wide) continue;
            inputs[i].row = pool.take();
            // Prepared rows hold from tile to tile; the others are filled anew.
            const bool refilled = inputs[i].access == Access::full || inputs[i].access == Access::pixel;
            // Floats written where bf16 is read would run ahead of it.
            if (refilled && !inputs[i].bf16) row[i] = inputs[i].row;
        }
        for (size_t i = 0; i < code.size(); ++i) {
            ViewInstruction& instruction = code[i];
            for (const uint16_t used : {instruction.a, instruction.b, instruction.c}) {
                if (row[used] < 0 || last_use[used] > i) continue;
                pool.give(row[used]);
                row[used] = -1;
            }
            instruction.row = row[instruction.dst] = pool.take();
            if (last_use[instruction.dst] > i) continue;
            pool.give(instruction.row);  // nobody reads it
            row[instruction.dst] = -1;
        }
        rows = pool.count();
    }

    const Program& program_;
    std::span<const Operand> step_inputs_, step_outputs_;
    Walk walk_;
    const LinkTable& link_table_;
    std::vector<bool> defined_;
};

/// Known programs read what belongs to a channel where it lies.
void prepare_nothing(const ProgramView&, const Buffers&, int64_t, int64_t, int64_t, float*) noexcept {}

/// The longest row with which everything the program touches in a tile stays in L1.
int64_t row_length(int32_t rows, const Walk& walk) {
    int64_t length = longest_row;
    while (length > 256 && static_cast<size_t>(rows * length) * sizeof(float) > cache_bytes) length /= 2;
    return std::min(length, walk.samples * walk.pixels * walk.channels);
}

}  // namespace

CompiledProgram::CompiledProgram(const Program& program, std::span<const Operand> inputs,
                                 std::span<const Operand> outputs, const Walk& walk, Isa isa) {
    const PointwiseTable& table = table_of(isa);
    view_.native_bf16 = native_bf16(isa);
    LinkTable links = *table.links;
    if (view_.native_bf16) links.store_bf16 = links.store_bf16_native;
    Compiler compiler(program, inputs, outputs, walk, links);
    compiler.compile();
    inputs_ = std::move(compiler.inputs);
    code_ = std::move(compiler.code);
    outputs_ = std::move(compiler.outputs);
    reductions_ = std::move(compiler.reductions);
    links_ = std::move(compiler.chains.links);
    runs_ = std::move(compiler.chains.runs);

    const std::optional<size_t> known = find_known_program(program, inputs, outputs, walk.channels);
    view_.prepare = known ? prepare_nothing : table.prepare;
    view_.run = known ? known_program(*known, isa) : table.run;
    view_.clear = clear_slot;
    view_.finalize = finalize_slots;
    view_.samples = walk.samples;
    view_.pixels = walk.pixels;
    view_.channels = walk.channels;
    view_.all_chained = compiler.all_chained;
    view_.row_floats = row_length(compiler.busy_rows, walk);
    view_.row_stride = (view_.row_floats + 15) / 16 * 16 + row_gap;
    view_.partial_doubles = compiler.partial_doubles;
    const int64_t blocks = compiler.rows * view_.row_stride;
    for (ViewReduction& reduction : reductions_) reduction.block_offset += blocks;
    view_.scratch_floats = (blocks + compiler.block_floats + 15) / 16 * 16;

    view_.inputs = inputs_.data();
    view_.code = code_.data();
    view_.links = links_.data();
    view_.runs = runs_.data();
    view_.outputs = outputs_.data();
    view_.reductions = reductions_.data();
    view_.input_count = static_cast<int32_t>(inputs_.size());
    view_.code_count = static_cast<int32_t>(code_.size());
    view_.run_count = static_cast<int32_t>(runs_.size());
    view_.output_count = static_cast<int32_t>(outputs_.size());
    view_.reduction_count = static_cast<int32_t>(reductions_.size());
}

int64_t CompiledProgram::finalize_units() const { return (view_.channels + finalize_block - 1) / finalize_block; }

void CompiledProgram::finalize(int64_t unit, const Buffers& buffers, const double* partials,
                               int64_t slots) const noexcept {
    const int64_t first = unit * finalize_block;
    view_.finalize(view_, buffers, partials, slots, first, std::min(finalize_block, view_.channels - first));
}

}  // namespace liven::kernels
