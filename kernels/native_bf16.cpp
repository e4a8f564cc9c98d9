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

void allow_native_bf16(bool allowed) { native_bf16_allowed().store(allowed, std::memory_order_relaxed); }

}  // namespace liven::kernels
