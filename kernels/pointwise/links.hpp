#pragma once

#include "kernels/pointwise/formulas.hpp"
#include "kernels/pointwise/table.hpp"

/// Chains: threaded code whose values stay in vector registers. Each link is a function that takes eight vectors as
/// arguments, which the calling convention passes in registers, does one instruction to them and jumps to the next link
/// with the results. A link reads its other operands from L1, so an instruction costs a load a vector and no store;
/// only what is needed later is written. One block passes through the whole chain before the next begins.
namespace liven::kernels {
namespace {

using reg = vec::register_type;

/// The eight vectors, as parameters and as arguments.
#define LIVEN_VECTORS reg x0, reg x1, reg x2, reg x3, reg x4, reg x5, reg x6, reg x7
#define LIVEN_MAPPED(f) f(x0, 0), f(x1, 1), f(x2, 2), f(x3, 3), f(x4, 4), f(x5, 5), f(x6, 6), f(x7, 7)

inline constexpr int64_t block_values = 8 * lanes;

/// `at`: where each register's values of the tile lie; `offset`: of the block there, by layout.
using Link = void(const ViewLink* link, float* const* at, const int64_t* offset, LIVEN_VECTORS);

LIVEN_INLINE int64_t offset_of(const int64_t* offset, Layout layout) { return offset[static_cast<int>(layout)]; }

LIVEN_INLINE Link* code_of(const ViewLink* link) { return reinterpret_cast<Link*>(link->run); }

void end_link(const ViewLink*, float* const*, const int64_t*, LIVEN_VECTORS) {
    static_cast<void>(sizeof(x0) + sizeof(x1) + sizeof(x2) + sizeof(x3) + sizeof(x4) + sizeof(x5) + sizeof(x6) +
                      sizeof(x7));
}

void load_link(const ViewLink* link, float* const* at, const int64_t* offset, LIVEN_VECTORS) {
    const float* a = at[link->a] + offset_of(offset, link->layout_a);
    const auto get = [a](reg, int i) -> reg { return load(a + i * lanes); };
    return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(get));
}

void store_link(const ViewLink* link, float* const* at, const int64_t* offset, LIVEN_VECTORS) {
    float* a = at[link->a] + offset_of(offset, link->layout_a);
    const auto put = [a](reg x, int i) -> reg {
        store(a + i * lanes, x);
        return x;
    };
    return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(put));
}

/// The same with a register whose values lie in memory as bf16.
LIVEN_INLINE uint16_t* halves_of(float* values) { return reinterpret_cast<uint16_t*>(values); }

void load_bf16_link(const ViewLink* link, float* const* at, const int64_t* offset, LIVEN_VECTORS) {
    const uint16_t* a = halves_of(at[link->a]) + offset_of(offset, link->layout_a);
    const auto get = [a](reg, int i) -> reg { return load_bf16(a + i * lanes); };
    return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(get));
}

/// Hands on what it rounds: links behind it go on with all bits.
template <bool native>
void store_bf16_link(const ViewLink* link, float* const* at, const int64_t* offset, LIVEN_VECTORS) {
    uint16_t* a = halves_of(at[link->a]) + offset_of(offset, link->layout_a);
    const auto put = [a](reg x, int i) -> reg {
        store_bf16<native>(a + i * lanes, x);
        return x;
    };
    return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(put));
}

/// Has the same block of the register's next tile brought into L2; lines to be written into L1, for this core alone:
/// fetched for reading, they would be asked for a second time when another core had written them last.
template <class T, bool written>
void fetch_link(const ViewLink* link, float* const* at, const int64_t* offset, LIVEN_VECTORS) {
    const T* next = reinterpret_cast<const T*>(at[link->a]) + offset_of(offset, Layout::next);
    constexpr auto line = static_cast<int64_t>(64 / sizeof(T));
    for (int64_t i = 0; i < block_values; i += line) {
        if constexpr (written)
            prefetch_written(next + i);
        else
            _mm_prefetch(reinterpret_cast<const char*>(next + i), _MM_HINT_T1);
    }
    const auto same = [](reg x, int) -> reg { return x; };
    return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(same));
}

/// The opcode with its operand `taken` from the registers, the others, in their order, from the link's a and b; a is
/// bf16 when `halves`.
template <Opcode op, int taken, bool halves>
void step_link(const ViewLink* link, float* const* at, const int64_t* offset, LIVEN_VECTORS) {
    const vec v0 = splat(link->imm0), v1 = splat(link->imm1);
    if constexpr (operands_of(op) == 1) {
        const auto one = [=](reg x, int) -> reg { return formula<op>(x, x, x, v0, v1); };
        return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(one));
    } else if constexpr (operands_of(op) == 2) {
        float* a = at[link->a];
        const int64_t first = offset_of(offset, link->layout_a);
        const auto two = [=](reg x, int i) -> reg {
            const vec y = halves ? load_bf16(halves_of(a) + first + i * lanes) : load(a + first + i * lanes);
            return taken == 0 ? formula<op>(x, y, y, v0, v1) : formula<op>(y, x, x, v0, v1);
        };
        return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(two));
    } else {
        float* a = at[link->a];
        const float* b = at[link->b] + offset_of(offset, link->layout_b);
        const int64_t first = offset_of(offset, link->layout_a);
        const auto three = [=](reg x, int i) -> reg {
            const vec y = halves ? load_bf16(halves_of(a) + first + i * lanes) : load(a + first + i * lanes);
            const vec z = load(b + i * lanes);
            if constexpr (taken == 0) return formula<op>(x, y, z, v0, v1);
            if constexpr (taken == 1) return formula<op>(y, x, z, v0, v1);
            return formula<op>(y, z, x, v0, v1);
        };
        return code_of(link + 1)(link + 1, at, offset, LIVEN_MAPPED(three));
    }
}

template <Opcode op, int taken, bool halves = false>
AnyLink any() {
    return reinterpret_cast<AnyLink>(&step_link<op, taken, halves>);
}

/// Operations whose arithmetic takes longer than the loads and stores of a loop of their own are not here.
template <Opcode op>
void add_step(LinkTable& table) {
    AnyLink *steps = table.step[static_cast<int>(op)], *halves = table.step_bf16[static_cast<int>(op)];
    steps[0] = any<op, 0>();
    if constexpr (operands_of(op) > 1) halves[0] = any<op, 0, true>();
    constexpr bool exchanged = op == Opcode::add || op == Opcode::mul || op == Opcode::equal || op == Opcode::mad;
    if constexpr (operands_of(op) > 1 && !exchanged) steps[1] = any<op, 1>(), halves[1] = any<op, 1, true>();
    if constexpr (operands_of(op) > 2) steps[2] = any<op, 2>(), halves[2] = any<op, 2, true>();
}

template <Opcode... op>
LinkTable make_links() {
    LinkTable table;
    table.block = block_values;
    table.load = reinterpret_cast<AnyLink>(&load_link);
    table.store = reinterpret_cast<AnyLink>(&store_link);
    table.fetch = reinterpret_cast<AnyLink>(&fetch_link<float, false>);
    table.fetch_written = reinterpret_cast<AnyLink>(&fetch_link<float, true>);
    table.load_bf16 = reinterpret_cast<AnyLink>(&load_bf16_link);
    table.store_bf16 = reinterpret_cast<AnyLink>(&store_bf16_link<false>);
    table.store_bf16_native = reinterpret_cast<AnyLink>(&store_bf16_link<true>);
    table.fetch_bf16 = reinterpret_cast<AnyLink>(&fetch_link<uint16_t, false>);
    table.fetch_written_bf16 = reinterpret_cast<AnyLink>(&fetch_link<uint16_t, true>);
    table.end = reinterpret_cast<AnyLink>(&end_link);
    (add_step<op>(table), ...);
    return table;
}

const LinkTable& link_table() {
    using enum Opcode;
    static const LinkTable table = make_links<copy, neg, sqrt, rsqrt, reciprocal, abs, square, sign, relu, leaky_relu,
                                              clamp, scale_const, add_const, positive, is_finite, add, sub, mul, div,
                                              maximum, minimum, greater, equal, leaky_step, mad, Opcode::select>();
    return table;
}

/// Runs the chain over one block.
LIVEN_INLINE void run_chain(const ViewLink* first, float* const* at, const int64_t* offset) {
    const reg x = zero();
    code_of(first)(first, at, offset, x, x, x, x, x, x, x, x);
}

}  // namespace
}  // namespace liven::kernels
