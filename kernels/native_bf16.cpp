#include "kernels/native_bf16.hpp"

#include <atomic>

namespace liven::kernels {
namespace {

std::atomic<bool>& native_bf16_allowed() {
    static std::atomic<bool> allowed{true};
    return allowed;
}

}  // namespace

bool native_bf16(Isa isa) {
    return isa == Isa::avx512 && has_bf16_dot() && native_bf16_allowed().load(std::memory_order_relaxed);
}

std::string refuse_bf16_dots(bool strict_math) {
    if (!native_bf16(Isa::avx512)) return "the CPU has no bf16 dot products (AVX512_BF16)";
    return strict_math ? "strict math asks for products in f32" : "";
}

void allow_native_bf16(bool allowed) { native_bf16_allowed().store(allowed, std::memory_order_relaxed); }

}  // namespace liven::kernels
