#pragma once

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/step.hpp"
#include "liven/core/bf16.hpp"
#include "liven/core/buffer.hpp"
#include "liven/core/philox.hpp"
#include "src/reference/array.hpp"

/// Runs kernels and their reference twins on the same tensors.
namespace liven::testing {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// A tensor of a test: values one after the other as the reference sees them, `pixel_stride` as the kernel does.
struct TestTensor {
    Shape shape;
    std::vector<float> values;
    int64_t pixel_stride = 0;  ///< 0: dense
    DType dtype = DType::f32;  ///< as the kernel sees it; bf16 values stand here as floats

    int64_t channels() const { return shape.rank() == 0 ? 1 : shape[-1]; }
    int64_t stride() const { return pixel_stride == 0 ? channels() : pixel_stride; }
    kernels::Operand operand() const { return {.shape = shape, .dtype = dtype, .pixel_stride = stride()}; }
    reference::Array<float> array() { return {.shape = shape, .data = values.data()}; }
};

inline TestTensor empty_tensor(const Shape& shape, int64_t pixel_stride = 0) {
    return {
        .shape = shape, .values = std::vector<float>(static_cast<size_t>(shape.count())), .pixel_stride = pixel_stride};
}

/// The tensor in bf16: its values rounded as kernels round them, denormal numbers to zero.
inline TestTensor in_bf16(TestTensor tensor) {
    tensor.dtype = DType::bf16;
    for (float& value : tensor.values)
        value = std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : from_bf16(to_bf16(value));
    return tensor;
}

/// Values in [-1, 1).
inline TestTensor random_tensor(const Shape& shape, uint64_t seed, int64_t pixel_stride = 0) {
    TestTensor out = empty_tensor(shape, pixel_stride);
    Random random(seed);
    for (float& value : out.values) value = random.uniform(-1.0f, 1.0f);
    return out;
}

/// The memory of one operand between two guards that no kernel may touch; elements between pixels are guards too.
class Guarded {
public:
    Guarded(const TestTensor& tensor, int64_t offset)
        : channels_(tensor.channels()), stride_(tensor.stride()), size_(size_of(tensor.dtype)) {
        pixels_ = channels_ == 0 ? 0 : tensor.shape.count() / channels_;
        first_ = kGuard + offset;
        // The last pixel ends the operand: nothing behind it belongs to the kernel.
        const int64_t body = pixels_ == 0 ? 0 : (pixels_ - 1) * stride_ + channels_;
        total_ = first_ + body + kGuard;
        memory_ = Buffer(static_cast<size_t>(total_) * size_);
        for (int64_t i = 0; i < total_; ++i) write(i, not_a_number);
    }

    float* data() { return reinterpret_cast<float*>(at(first_)); }
    void put(const std::vector<float>& values) {
        for (int64_t i = 0; i < pixels_ * channels_; ++i) write(place_of(i), values[static_cast<size_t>(i)]);
    }
    std::vector<float> take() {
        std::vector<float> out(static_cast<size_t>(pixels_ * channels_));
        for (size_t i = 0; i < out.size(); ++i) out[i] = read(place_of(static_cast<int64_t>(i)));
        return out;
    }
    /// True when every element that is not the operand's still holds the guard.
    bool intact() {
        std::vector<bool> own(static_cast<size_t>(total_), false);
        for (int64_t i = 0; i < pixels_ * channels_; ++i) own[static_cast<size_t>(place_of(i))] = true;
        const auto guard = std::bit_cast<uint32_t>(not_a_number);
        for (int64_t i = 0; i < total_; ++i)
            if (!own[static_cast<size_t>(i)] && std::bit_cast<uint32_t>(read(i)) != guard) return false;
        return true;
    }

private:
    static constexpr int64_t kGuard = 64;

    int64_t place_of(int64_t value) const { return first_ + value / channels_ * stride_ + value % channels_; }
    std::byte* at(int64_t index) { return memory_.as<std::byte>() + static_cast<size_t>(index) * size_; }
    void write(int64_t index, float value) {
        const uint16_t half = to_bf16(value);
        std::memcpy(at(index), size_ == sizeof(half) ? static_cast<const void*>(&half) : &value, size_);
    }
    float read(int64_t index) {
        uint16_t half = 0;
        float value = 0;
        std::memcpy(size_ == sizeof(half) ? static_cast<void*>(&half) : &value, at(index), size_);
        return size_ == sizeof(half) ? from_bf16(half) : value;
    }

    int64_t channels_, stride_, pixels_ = 0, first_ = 0, total_ = 0;
    size_t size_;
    Buffer memory_;
};

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// How `run_step` walks the units.
enum class Order { forward, backward, shuffled };

/// Runs a step on the inputs and fills the outputs. Scratch and workspace start as NaN, so that anything read before it
/// is written shows; guards around all operands are checked.
inline void run_step(const kernels::Step& step, const std::vector<const TestTensor*>& inputs,
                     const std::vector<TestTensor*>& outputs, Order order = Order::forward, int64_t offset = 0) {
    std::vector<Guarded> in, out;
    std::vector<const void*> in_pointers;
    std::vector<void*> out_pointers;
    for (const TestTensor* tensor : inputs) {
        in.emplace_back(*tensor, offset);
        in.back().put(tensor->values);
        in_pointers.push_back(in.back().data());
    }
    for (const TestTensor* tensor : outputs) {
        out.emplace_back(*tensor, offset);
        out_pointers.push_back(out.back().data());
    }
    // A cache line more than asked for, to see whether a kernel writes behind its end.
    Buffer workspace(step.workspace_bytes + 64), scratch(step.scratch_bytes + 64);
    std::memset(workspace.data(), 0xff, step.workspace_bytes + 64);
    std::memset(scratch.data(), 0xff, step.scratch_bytes + 64);
    const kernels::Buffers buffers{in_pointers.data(), out_pointers.data(), workspace.as<std::byte>(),
                                   scratch.as<std::byte>()};
    Random random(7);
    for (size_t stage = 0; stage < step.stages.size(); ++stage) {
        std::vector<int64_t> units(static_cast<size_t>(step.stages[stage].units));
        std::iota(units.begin(), units.end(), 0);
        REQUIRE(step.stages[stage].samples >= 1);
        REQUIRE(step.stages[stage].units % step.stages[stage].samples == 0);
        if (order == Order::backward) std::reverse(units.begin(), units.end());
        if (order == Order::shuffled)
            for (size_t i = units.size(); i > 1; --i) std::swap(units[i - 1], units[random.below(i)]);
        for (const int64_t unit : units) {
            step.run(static_cast<int>(stage), unit, buffers);
            std::memset(scratch.data(), 0xff, step.scratch_bytes);  // nothing may live in scratch from unit to unit
        }
    }
    for (size_t i = 0; i < in.size(); ++i) {
        INFO("input " << i);
        REQUIRE(in[i].intact());
        REQUIRE(same_bits(in[i].take(), inputs[i]->values));
    }
    for (size_t i = 0; i < out.size(); ++i) {
        INFO("output " << i);
        REQUIRE(out[i].intact());
        outputs[i]->values = out[i].take();
    }
    const auto untouched_behind = [](const Buffer& memory, size_t bytes) {
        const unsigned char* end = memory.as<unsigned char>() + bytes;
        return std::all_of(end, end + 64, [](unsigned char byte) { return byte == 0xff; });
    };
    REQUIRE(untouched_behind(workspace, step.workspace_bytes));
    REQUIRE(untouched_behind(scratch, step.scratch_bytes));
}

inline std::unique_ptr<kernels::Step> make_step(const kernels::Problem& problem, Isa isa) {
    const kernels::Choice choice = kernels::choose(problem, isa);
    for (const auto& [kernel, reason] : choice.refused) UNSCOPED_INFO(kernel->name << ": " << reason);
    REQUIRE(choice.chosen);
    return choice.chosen->make(problem, isa);
}

/// ||a - b|| / ||b||; NaN and infinities must sit at the same places.
inline double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
    double difference = 0, size = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
            if (std::isnan(a[i]) != std::isnan(b[i]) || (!std::isnan(a[i]) && a[i] != b[i]))
                return std::numeric_limits<double>::infinity();
            continue;
        }
        difference += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
        size += double{b[i]} * double{b[i]};
    }
    return difference == 0 ? 0 : std::sqrt(difference) / std::max(std::sqrt(size), 1e-30);
}

/// The kernels with dot products of bf16 that take a problem.
inline std::vector<const kernels::KernelInfo*> dots_kernels(const kernels::Problem& problem) {
    std::vector<const kernels::KernelInfo*> found;
    for (const kernels::KernelInfo& kernel : kernels::registry())
        if (kernel.op == problem.op && kernel.name.find("dots") != std::string_view::npos &&
            kernel.refuse(problem).empty())
            found.push_back(&kernel);
    return found;
}

}  // namespace liven::testing
