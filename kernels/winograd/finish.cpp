#include "kernels/winograd/finish.hpp"

#include <array>
#include <cmath>

#include "kernels/conv2d/table.hpp"
#include "kernels/native_bf16.hpp"

namespace liven::kernels {
namespace {

constexpr int64_t most_block_pixels = 1024;  // as pointwise programs sum

}  // namespace

/// Reads a program for what it means: the value of each register as one of the few that the kernels know.
class WinogradEpilogueReader {
public:
    WinogradEpilogueReader(const Problem& problem, const Shape& result, Isa isa)
        : problem_(problem), program_(*problem.epilogue), isa_(isa) {
        out_.result_ = result;
    }

    std::optional<WinogradEpilogue> read() {
        if (program_.outputs.size() != 1 || program_.inputs.size() > 3) return std::nullopt;
        for (size_t i = 0; i < program_.inputs.size(); ++i) values_[i] = input(program_.inputs[i]);
        for (const Instruction& i : program_.code) values_[i.dst] = value(i);
        if (!kind()) return std::nullopt;
        out_.dst_ = program_.outputs[0].operand;
        const Operand& dst = problem_.outputs[static_cast<size_t>(out_.dst_)];
        out_.store(dst, isa_);
        if (out_.map_ >= 0) {
            const Operand& map = problem_.inputs[static_cast<size_t>(out_.map_)];
            if (map.dtype != dst.dtype) return std::nullopt;
            out_.map_step_ = map.pixel_stride;
        }
        return out_;
    }

private:
    enum class Value : uint8_t {
        other,
        core,
        channel,        ///< an input
        map,            ///< an input
        biased,         ///< core + channel
        activated,      ///< leaky(core), leaky(core + channel)
        added,          ///< map + activated
        stepped,        ///< the gradient of leaky(map), core being that of its result
        map_activated,  ///< leaky(map)
        centred,        ///< leaky(map) - channel
        product         ///< core * (leaky(map) - channel)
    };

    static Value input(const ProgramInput& input) {
        if (input.operand < 0) return Value::core;
        if (input.access == Access::full) return Value::map;
        return input.access == Access::channel ? Value::channel : Value::other;
    }

    Value value(const Instruction& i) {
        const Value a = values_[i.a], b = values_[i.b];
        switch (i.op) {
            case Opcode::copy:
                return a;
            case Opcode::relu:
                return activate(i.a, 1, 0);
            case Opcode::leaky_relu:
                return activate(i.a, i.imm0, -INFINITY);
            case Opcode::add:
                return added(i.a, a, i.b, b);
            case Opcode::leaky_step:
                return a == Value::map && b == Value::core && take(out_.map_, i.a) && slope(i.imm0) ? Value::stepped
                                                                                                    : Value::other;
            case Opcode::sub:
                return (a == Value::map_activated || (a == Value::map && slope(1) && take(out_.map_, i.a))) &&
                               b == Value::channel && take(out_.mean_, i.b)
                           ? Value::centred
                           : Value::other;
            case Opcode::mul:
                return (a == Value::core && b == Value::centred) || (a == Value::centred && b == Value::core)
                           ? Value::product
                           : Value::other;
            default:
                return Value::other;
        }
    }

    Value activate(uint8_t reg, float slope_of, float least) {
        const Value a = values_[reg];
        if (!slope(slope_of, least)) return Value::other;
        core_bare_ |= a == Value::core;
        if (a == Value::core || a == Value::biased) return Value::activated;
        return a == Value::map && take(out_.map_, reg) ? Value::map_activated : Value::other;
    }

    Value added(uint8_t left, Value a, uint8_t right, Value b) {
        if (a == Value::core && b == Value::channel) return take(out_.bias_, right) ? Value::biased : Value::other;
        if (b == Value::core && a == Value::channel) return take(out_.bias_, left) ? Value::biased : Value::other;
        if (b == Value::map) return added(right, b, left, a);
        if (a != Value::map || !take(out_.map_, left)) return Value::other;
        core_bare_ |= b == Value::core;
        added_plain_ |= b != Value::activated;
        return b == Value::activated || b == Value::biased || b == Value::core ? Value::added : Value::other;
    }

    /// Notes an input's operand, the only one in its place.
    bool take(int& place, uint8_t reg) const {
        if (reg >= program_.inputs.size()) return false;
        const int operand = program_.inputs[reg].operand;
        if (place >= 0 && place != operand) return false;
        place = operand;
        return true;
    }
    /// Notes the slope of leaky, the only one; a relu has slope 1 and no value below 0.
    bool slope(float value, float least = -INFINITY) {
        if (has_slope_ && (out_.slope_ != value || out_.least_ != least)) return false;
        has_slope_ = true;
        out_.slope_ = value;
        out_.least_ = least;
        return true;
    }

    bool kind() {
        const Value written = values_[program_.outputs[0].source];
        const auto& sums = program_.reductions;
        const auto summed = [&](size_t i) { return values_[sums[i].source]; };
        using Kind = WinogradFinishKind;
        const auto become = [&](Kind kind) {
            out_.kind_ = kind;
            return true;
        };
        if (written == Value::stepped)
            return (sums.empty() ||
                    (sums.size() == 1 && sums[0].kind == Reduction::Kind::sum && summed(0) == written)) &&
                   become(Kind::stepped);
        if (written == Value::core && sums.size() == 2) return batch_norm_sums();
        // One bias, one slope and one order of things: what is left out must be left out everywhere.
        core_bare_ |= written == Value::core;
        if ((core_bare_ && out_.bias_ >= 0) || (added_plain_ && has_slope_)) return false;
        const bool forward = written == Value::core || written == Value::biased || written == Value::activated;
        const bool acts = written == Value::activated || !has_slope_;  // without an activation they are one
        if (sums.empty()) {
            if (written == Value::added) return become(Kind::added);
            return forward && acts && become(Kind::activated);
        }
        if (sums.size() == 1 && sums[0].kind == Reduction::Kind::moments) {
            if (summed(0) == Value::added)
                return written == Value::added ? become(Kind::added_moments)
                       : forward && acts       ? become(Kind::activated_moments_of_added)
                                               : false;
            if (!forward) return false;
            if (summed(0) == written) return acts && become(Kind::activated_moments);
            return summed(0) == Value::activated && written == Value::biased && become(Kind::biased_moments);
        }
        return false;
    }

    bool batch_norm_sums() {
        const auto& sums = program_.reductions;
        for (const Reduction& sum : sums)
            if (sum.kind != Reduction::Kind::sum) return false;
        out_.swapped_ = values_[sums[0].source] == Value::core;
        const size_t product = out_.swapped_ ? 1 : 0;
        out_.kind_ = WinogradFinishKind::centred;
        return values_[sums[product].source] == Value::product && values_[sums[1 - product].source] == Value::core;
    }

    const Problem& problem_;
    const Program& program_;
    Isa isa_;
    std::array<Value, 256> values_{};
    bool has_slope_ = false, core_bare_ = false, added_plain_ = false;
    WinogradEpilogue out_;
};

std::optional<WinogradEpilogue> WinogradEpilogue::of(const Problem& problem, const Shape& result, Isa isa) {
    if (result[3] % conv_block != 0) return std::nullopt;  // registers would reach beyond the last channel
    if (problem.epilogue) return WinogradEpilogueReader(problem, result, isa).read();
    if (problem.outputs[0].dtype == DType::f32) return std::nullopt;  // written where it belongs
    WinogradEpilogue bare;
    bare.result_ = result;
    bare.store(problem.outputs[0], isa);
    return bare;
}

void WinogradEpilogue::store(const Operand& dst, Isa isa) {
    dst_step_ = dst.pixel_stride;
    if (dst.dtype == DType::bf16) storage_ = native_bf16(isa) ? WinogradStorage::bf16_native : WinogradStorage::bf16;
}

WinogradEpilogue::Run::Run(const WinogradEpilogue& epilogue, const Buffers& buffers, const RowSink& sink, int64_t slot,
                           ChannelSlice slice, float* block, const WinogradTable& table) noexcept
    : epilogue_(epilogue), buffers_(buffers), table_(table), view_(*sink.view()), slot_(nullptr), slice_(slice) {
    const auto by_channel = [&](int operand) {
        return operand < 0 ? nullptr : static_cast<const float*>(buffers.inputs[operand]) + slice.first;
    };
    const auto map = [&](int operand) {
        return operand < 0
                   ? nullptr
                   : static_cast<const std::byte*>(buffers.inputs[operand]) + slice.first * epilogue.value_bytes();
    };
    finish_ = {.kind = epilogue.kind_,
               .storage = epilogue.storage_,
               .bias = by_channel(epilogue.bias_),
               .slope = epilogue.slope_,
               .least = epilogue.least_,
               .map = map(epilogue.map_),
               .map_row_step = epilogue.result_[2] * epilogue.map_step_,
               .map_step = epilogue.map_step_,
               .mean = by_channel(epilogue.mean_),
               .block = block};
    if (!sink.reduces()) return;
    slot_ = sink.partial(buffers, slot);
    view_.clear(view_, slot_, slice.first, slice.count);
}

std::byte* WinogradEpilogue::Run::dst(int64_t row) const noexcept {
    return static_cast<std::byte*>(buffers_.outputs[epilogue_.dst_]) +
           (row * epilogue_.result_[2] * epilogue_.dst_step_ + slice_.first) * epilogue_.value_bytes();
}

const WinogradFinish& WinogradEpilogue::Run::next(std::span<const WinogradTile> tiles) noexcept {
    int64_t pixels = 0;
    for (const WinogradTile& tile : tiles) pixels += tile.dst_rows * tile.dst_columns;
    if (pixels_ + pixels > most_block_pixels) end();
    finish_.fresh = pixels_ == 0;
    pixels_ += pixels;
    return finish_;
}

void WinogradEpilogue::Run::end() noexcept {
    if (slot_ && pixels_ > 0) {
        double* slots[2] = {slot_ + view_.reductions[0].slot_offset + slice_.first,
                            slot_ + view_.reductions[view_.reduction_count - 1].slot_offset + slice_.first};
        if (epilogue_.swapped_) std::swap(slots[0], slots[1]);
        table_.merge(finish_, pixels_, slice_.count, slots, epilogue_.result_[3]);
    }
    pixels_ = 0;
}

std::span<const std::byte> WinogradEpilogue::Run::upcoming(int64_t first, int64_t last) const noexcept {
    if (!finish_.map || last <= first) return {};
    const int64_t row = finish_.map_row_step, size = epilogue_.value_bytes();
    // The last pixel's channels may end before its stride does: stay inside the operand.
    return {static_cast<const std::byte*>(finish_.map) + first * row * size,
            static_cast<size_t>(((last - first) * row - finish_.map_step + 1) * size)};
}

}  // namespace liven::kernels
