#include "liven/core/isa.hpp"

#include <cpuid.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"

namespace liven {
namespace {

constexpr std::array<std::string_view, 3> kNames{"baseline", "avx2", "avx512"};

struct Cpu {
    Isa best = Isa::baseline;
    bool bf16_dot = false;
    std::array<char, 49> name{};
};

uint64_t xcr0() {
    uint32_t low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return uint64_t{high} << 32 | low;
}

Cpu probe() {
    Cpu cpu;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (uint32_t leaf = 0; leaf < 3; ++leaf) {
        if (!__get_cpuid(0x80000002u + leaf, &a, &b, &c, &d)) break;
        const std::array<uint32_t, 4> words{a, b, c, d};
        std::memcpy(cpu.name.data() + 16 * leaf, words.data(), 16);
    }
    if (!__get_cpuid(1, &a, &b, &c, &d)) return cpu;
    const bool os_saves_registers = (c >> 27) & 1u;
    const bool fma = (c >> 12) & 1u, f16c = (c >> 29) & 1u;
    if (!os_saves_registers || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return cpu;
    const uint64_t saved = xcr0();
    const bool ymm = (saved & 0x6u) == 0x6u, zmm = (saved & 0xe6u) == 0xe6u;
    const bool avx2 = (b >> 5) & 1u;
    constexpr uint32_t kAvx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;  // F, DQ, CD, BW, VL
    if (ymm && avx2 && fma && f16c) cpu.best = Isa::avx2;
    if (cpu.best == Isa::avx2 && zmm && (b & kAvx512) == kAvx512) cpu.best = Isa::avx512;
    if (cpu.best == Isa::avx512 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) cpu.bf16_dot = (a >> 5) & 1u;
    return cpu;
}

const Cpu& cpu() {
    static const Cpu probed = probe();
    return probed;
}

Isa checked(Isa isa, std::string_view where) {
    if (isa > cpu().best)
        throw Error(where, "this machine cannot run " + std::string(name_of(isa)) + "; its best is " +
                               std::string(name_of(cpu().best)));
    return isa;
}

std::atomic<Isa>& active() {
    static std::atomic<Isa> isa = [] {
        const auto wish = environment_value("LIVEN_ISA");
        return wish ? checked(isa_from(*wish), "LIVEN_ISA") : cpu().best;
    }();
    return isa;
}

}  // namespace

std::string_view name_of(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

Isa isa_from(std::string_view name) {
    for (size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i] == name) return static_cast<Isa>(i);
    throw Error("LIVEN_ISA", "expected baseline, avx2 or avx512, got '" + std::string(name) + "'");
}

std::span<const Isa> available_isas() {
    static constexpr std::array<Isa, 3> all{Isa::baseline, Isa::avx2, Isa::avx512};
    return {all.data(), static_cast<size_t>(cpu().best) + 1};
}

Isa active_isa() { return active().load(std::memory_order_relaxed); }
void set_active_isa(Isa isa) { active().store(checked(isa, "set_active_isa"), std::memory_order_relaxed); }
std::string_view cpu_name() { return cpu().name.data(); }
bool has_bf16_dot() { return cpu().bf16_dot; }

}  // namespace liven
