#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "kernels/program.hpp"
#include "liven/core/attributes.hpp"
#include "liven/core/philox.hpp"
#include "src/reference/array.hpp"

/// Elementwise operations, each as its formula, with NumPy's broadcasting.
namespace liven::reference {

using kernels::Opcode;

inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
/// Phi(x), the normal distribution.
inline double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
/// phi(x), its density.
inline double normal_density(double x) { return 0.3989422804014327 * std::exp(-0.5 * x * x); }
/// a * factor, where a factor of zero wins over an infinite a.
inline double damped(double a, double factor) { return factor == 0.0 ? std::copysign(0.0, a) : a * factor; }

/// One value of every opcode but dropout, which needs to know the element's place.
inline double apply(Opcode op, double a, double b, double c, double imm0, double imm1) {
    switch (op) {
        case Opcode::copy:
        case Opcode::widen:
            return a;
        case Opcode::neg:
            return -a;
        case Opcode::exp:
            return std::exp(a);
        case Opcode::log:
            return std::log(a);
        case Opcode::sqrt:
            return std::sqrt(a);
        case Opcode::rsqrt:
            return 1.0 / std::sqrt(a);
        case Opcode::reciprocal:
            return 1.0 / a;
        case Opcode::abs:
            return std::abs(a);
        case Opcode::square:
            return a * a;
        case Opcode::sign:
            return a > 0 ? 1.0 : a < 0 ? -1.0 : a;
        case Opcode::relu:
            return a < 0 ? 0.0 : a;
        case Opcode::leaky_relu:
            return a > 0 ? a : imm0 * a;
        case Opcode::tanh:
            return std::tanh(a);
        case Opcode::sigmoid:
            return sigmoid(a);
        case Opcode::softplus:
            return (a > 0 ? a : 0.0) + std::log1p(std::exp(-std::abs(a)));
        case Opcode::gelu:
            return damped(a, normal_distribution(a));
        case Opcode::gelu_grad:
            return normal_distribution(a) + damped(a, normal_density(a));
        case Opcode::erf:
            return std::erf(a);
        case Opcode::quick_gelu:
            return damped(a, sigmoid(1.702 * a));
        case Opcode::clamp:
            return a < imm0 ? imm0 : a > imm1 ? imm1 : a;
        case Opcode::pow_const:
            return std::pow(a, imm0);
        case Opcode::scale_const:
            return a * imm0;
        case Opcode::add_const:
            return a + imm0;
        case Opcode::positive:
            return a > 0 ? 1.0 : 0.0;
        case Opcode::is_finite:
            return std::isfinite(a) ? 1.0 : 0.0;
        case Opcode::add:
            return a + b;
        case Opcode::sub:
            return a - b;
        case Opcode::mul:
            return a * b;
        case Opcode::div:
            return a / b;
        case Opcode::maximum:
            return a > b || a != a ? a : b;
        case Opcode::minimum:
            return a < b || a != a ? a : b;
        case Opcode::pow:
            return std::pow(a, b);
        case Opcode::greater:
            return a > b ? 1.0 : 0.0;
        case Opcode::equal:
            return a == b ? 1.0 : 0.0;
        case Opcode::leaky_step:
            return (a > 0 ? 1.0 : imm0) * b;
        case Opcode::mad:
            return a * b + c;
        case Opcode::select:
            return a != 0 ? b : c;
        case Opcode::dropout:
            break;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

/// Whether dropout keeps the element: Philox word (e % 64) / 16 of block 16 (e / 64) + e % 16, its upper 24 bits as a
/// fraction, against the rate.
inline bool dropout_keeps(int64_t element, uint64_t seed, uint64_t counter, uint32_t key, float rate) {
    const auto e = static_cast<uint64_t>(element);
    const uint64_t block = e / 64 * 16 + e % 16;
    const Philox::Block words = Philox(seed)(block, uint64_t{key} << 32 | (counter & 0xffffffffu));
    const uint32_t word = words[static_cast<size_t>(e % 64 / 16)];
    return static_cast<double>(word >> 8) * 0x1p-24 >= double{rate};
}

/// Steps through an operand as it is stretched to the shape of the result.
class BroadcastIndex {
public:
    BroadcastIndex(const Shape& operand, const Shape& result) : result_(result) {
        const int lead = result.rank() - operand.rank();
        int64_t stride = 1;
        for (int axis = operand.rank() - 1; axis >= 0; --axis) {
            strides_[static_cast<size_t>(axis + lead)] = operand[axis] == 1 ? 0 : stride;
            stride *= operand[axis];
        }
    }

    /// The operand's element for element `index` of the result.
    int64_t operator()(int64_t index) const {
        int64_t at = 0;
        for (int axis = result_.rank() - 1; axis >= 0; --axis) {
            at += index % result_[axis] * strides_[static_cast<size_t>(axis)];
            index /= result_[axis];
        }
        return at;
    }

private:
    Shape result_;
    AxisArray strides_{};
};

template <class T>
void dropout(const PointwiseAttributes& attributes, std::span<const Array<T>> inputs, const Array<T>& dst) {
    const auto seed = static_cast<uint64_t>(*inputs[1].i64()), counter = static_cast<uint64_t>(*inputs[2].i64());
    for (int64_t e = 0; e < dst.count(); ++e) {
        const bool kept = dropout_keeps(e, seed, counter, attributes.key, attributes.imm0);
        dst.real()[e] = kept ? static_cast<T>(inputs[0].real()[e] * T{attributes.imm1}) : T{0};
    }
}

/// dst = op(inputs), elementwise, broadcast to the shape of dst. Attributes: PointwiseAttributes, or null for all
/// zeros.
template <class T, Opcode op>
void pointwise(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto imm = attributes ? *static_cast<const PointwiseAttributes*>(attributes) : PointwiseAttributes{};
    const Array<T>& dst = outputs[0];
    if constexpr (op == Opcode::dropout) {
        dropout(imm, inputs, dst);
    } else if constexpr (op == Opcode::widen) {
        for (int64_t e = 0; e < dst.count(); ++e) dst.real()[e] = static_cast<T>(inputs[0].u8()[e]);
    } else {
        const auto index = [&](size_t i) { return BroadcastIndex(inputs[i < inputs.size() ? i : 0].shape, dst.shape); };
        const BroadcastIndex a = index(0), b = index(1), c = index(2);
        const auto value = [&](size_t i, const BroadcastIndex& at, int64_t e) {
            return i < inputs.size() ? static_cast<double>(inputs[i].real()[at(e)]) : 0.0;
        };
        for (int64_t e = 0; e < dst.count(); ++e)
            dst.real()[e] = static_cast<T>(
                apply(op, value(0, a, e), value(1, b, e), value(2, c, e), double{imm.imm0}, double{imm.imm1}));
    }
}

/// The elementwise operation of that name (an Opcode's), or null.
template <class T>
Function<T> pointwise_function(std::string_view name) {
    constexpr auto count = static_cast<size_t>(Opcode::dropout) + 1;
    static constexpr auto table = []<size_t... i>(std::index_sequence<i...>) {
        return std::array<Function<T>, count>{&pointwise<T, static_cast<Opcode>(i)>...};
    }
    (std::make_index_sequence<count>{});
    const auto op = kernels::opcode_from(name);
    return op ? table[static_cast<size_t>(*op)] : nullptr;
}

}  // namespace liven::reference
