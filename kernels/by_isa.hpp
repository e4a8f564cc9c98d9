#pragma once

#include "liven/core/isa.hpp"

namespace liven::kernels {

/// Of what kernels/isa compiles three times, mostly functions that return a table, the one for an instruction set.
template <class T>
constexpr T by_isa(Isa isa, T baseline, T avx2, T avx512) {
    switch (isa) {
        case Isa::avx512:
            return avx512;
        case Isa::avx2:
            return avx2;
        case Isa::baseline:
            break;
    }
    return baseline;
}

}  // namespace liven::kernels
