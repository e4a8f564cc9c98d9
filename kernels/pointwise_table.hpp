#pragma once

#include "kernels/program_view.hpp"

namespace liven::kernels {

/// The interpreter of one ISA.
struct PointwiseTable {
    decltype(ProgramView::prepare) prepare;
    decltype(ProgramView::run) run;
};

const PointwiseTable* pointwise_table_baseline();
const PointwiseTable* pointwise_table_avx2();
const PointwiseTable* pointwise_table_avx512();

}  // namespace liven::kernels
