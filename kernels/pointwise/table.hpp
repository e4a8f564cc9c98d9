#pragma once

#include "kernels/pointwise/program_view.hpp"

namespace liven::kernels {

/// The links of one ISA: what chains are made of.
struct LinkTable {
    static constexpr int opcodes = static_cast<int>(Opcode::dropout) + 1;

    int64_t block = 0;  ///< values that one call of a chain works on
    AnyLink load = nullptr, store = nullptr, fetch = nullptr, end = nullptr;
    AnyLink fetch_written = nullptr;  ///< of lines that will be written
    /// By opcode and by the operand (a, b or c) that comes from the step before; null: not as a link. Where a and b may
    /// be exchanged there is none for b.
    AnyLink step[opcodes][3] = {};

    /// The same for operands that lie in memory as bf16; of a step, the first that comes from memory.
    AnyLink load_bf16 = nullptr, store_bf16 = nullptr, fetch_bf16 = nullptr, fetch_written_bf16 = nullptr;
    AnyLink store_bf16_native = nullptr;  ///< of CPUs with AVX512_BF16
    AnyLink step_bf16[opcodes][3] = {};
};

/// The interpreter of one ISA.
struct PointwiseTable {
    decltype(ProgramView::prepare) prepare;
    decltype(ProgramView::run) run;
    const LinkTable* links;
};

const PointwiseTable* pointwise_table_baseline();
const PointwiseTable* pointwise_table_avx2();
const PointwiseTable* pointwise_table_avx512();

}  // namespace liven::kernels
