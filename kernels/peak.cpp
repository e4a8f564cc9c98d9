#include "kernels/peak.hpp"

namespace liven::kernels {

double fma_probe_baseline(int64_t rounds);
double fma_probe_avx2(int64_t rounds);
double fma_probe_avx512(int64_t rounds);

double fma_probe(Isa isa, int64_t rounds) {
    switch (isa) {
        case Isa::avx512:
            return fma_probe_avx512(rounds);
        case Isa::avx2:
            return fma_probe_avx2(rounds);
        case Isa::baseline:
            break;
    }
    return fma_probe_baseline(rounds);
}

}  // namespace liven::kernels
