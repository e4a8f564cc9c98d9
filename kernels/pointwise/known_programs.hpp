#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "kernels/pointwise/program_view.hpp"

/// Programs that batch and instance norms leave behind in nearly every step of a deep network, compiled instruction by
/// instruction into loops of their own. As chains they load what a channel needs for every pixel anew and send what is
/// summed through L1; in a loop of their own a channel's values stay in registers while its pixels pass.
namespace liven::kernels {

/// A sum over pixels of a register, or its moments.
struct KnownSum {
    Reduction::Kind kind = Reduction::Kind::sum;
    uint8_t source = 0;
};

struct KnownProgram {
    std::string_view inputs;  ///< a letter each: m a map in memory, c values by channel, r the core's result
    size_t length = 0;        ///< instructions
    std::array<Instruction, 12> code{};
    uint8_t output = 0;  ///< the register that is written
    size_t sum_count = 0;
    std::array<KnownSum, 3> sums{};  ///< moments: of the core's result
};

constexpr auto known_programs = [] {
    using enum Opcode;
    return std::array{
        // relu of a normalised map
        KnownProgram{
            .inputs = "mccc", .length = 3, .code = {{{sub, 4, 0, 1}, {mad, 5, 4, 2, 3}, {relu, 6, 5}}}, .output = 6},
        // the end of a residual block: of a normalised map and the block's own input
        KnownProgram{.inputs = "mcccm",
                     .length = 4,
                     .code = {{{sub, 5, 0, 1}, {mad, 6, 5, 2, 3}, {add, 7, 6, 4}, {relu, 8, 7}}},
                     .output = 8},
        // of two normalised maps
        KnownProgram{.inputs = "mcccmccc",
                     .length = 6,
                     .code = {{{sub, 8, 0, 1},
                               {mad, 9, 8, 2, 3},
                               {sub, 10, 4, 5},
                               {mad, 11, 10, 6, 7},
                               {add, 12, 9, 11},
                               {relu, 13, 12}}},
                     .output = 13},
        // the gradient behind a norm, of the gradient before it and of what was normalised
        KnownProgram{.inputs = "mcmccc",
                     .length = 3,
                     .code = {{{sub, 6, 2, 3}, {mad, 7, 6, 4, 5}, {mad, 8, 0, 1, 7}}},
                     .output = 8},
        // a result with its moments
        KnownProgram{.inputs = "r",
                     .length = 1,
                     .code = {{{copy, 1, 0}}},
                     .output = 1,
                     .sum_count = 1,
                     .sums = {{{Reduction::Kind::moments, 0}}}},
        // the gradient before relu and norm, with the sums that the norm's gradient needs
        KnownProgram{.inputs = "mcccr",
                     .length = 5,
                     .code = {{{sub, 5, 0, 1}, {mad, 6, 5, 2, 3}, {relu, 7, 6}, {leaky_step, 8, 7, 4}, {mul, 9, 8, 5}}},
                     .output = 8,
                     .sum_count = 2,
                     .sums = {{{.source = 9}, {.source = 8}}}},
        // the same at the end of a residual block, whose result was stored
        KnownProgram{.inputs = "mrmmc",
                     .length = 4,
                     .code = {{{add, 5, 0, 1}, {leaky_step, 6, 2, 5}, {sub, 7, 3, 4}, {mul, 8, 6, 7}}},
                     .output = 6,
                     .sum_count = 2,
                     .sums = {{{.source = 8}, {.source = 6}}}},
        // or is made again
        KnownProgram{.inputs = "mrmcccm",
                     .length = 7,
                     .code = {{{add, 7, 0, 1},
                               {sub, 8, 2, 3},
                               {mad, 9, 8, 4, 5},
                               {add, 10, 9, 6},
                               {relu, 11, 10},
                               {leaky_step, 12, 11, 7},
                               {mul, 13, 12, 8}}},
                     .output = 12,
                     .sum_count = 2,
                     .sums = {{{.source = 13}, {.source = 12}}}},
        // of two normalised maps
        KnownProgram{.inputs = "mrmcccmccc",
                     .length = 10,
                     .code = {{{add, 10, 0, 1},
                               {sub, 11, 2, 3},
                               {mad, 12, 11, 4, 5},
                               {sub, 13, 6, 7},
                               {mad, 14, 13, 8, 9},
                               {add, 15, 12, 14},
                               {relu, 16, 15},
                               {leaky_step, 17, 16, 10},
                               {mul, 18, 17, 13},
                               {mul, 19, 17, 11}}},
                     .output = 17,
                     .sum_count = 3,
                     .sums = {{{.source = 18}, {.source = 17}, {.source = 19}}}},
        // a result that is made again for the backward pass, centred
        KnownProgram{.inputs = "rc", .length = 1, .code = {{{sub, 2, 0, 1}}}, .output = 2},
        // with the sum that the norm's gradient needs
        KnownProgram{.inputs = "rcm",
                     .length = 2,
                     .code = {{{sub, 3, 0, 1}, {mul, 4, 2, 3}}},
                     .output = 3,
                     .sum_count = 1,
                     .sums = {{{.source = 4}}}},
        // or with both sums, of the gradient before relu and norm
        KnownProgram{.inputs = "rcccm",
                     .length = 5,
                     .code = {{{sub, 5, 0, 1}, {mad, 6, 5, 2, 3}, {relu, 7, 6}, {leaky_step, 8, 7, 4}, {mul, 9, 8, 5}}},
                     .output = 5,
                     .sum_count = 2,
                     .sums = {{{.source = 9}, {.source = 8}}}}};
}();

/// Which of them the program is: the same instructions over operands in f32 and at least a vector of channels.
std::optional<size_t> find_known_program(const Program& program, std::span<const Operand> inputs,
                                         std::span<const Operand> outputs, int64_t channels);

using RunProgram = decltype(ProgramView::run);
RunProgram known_program(size_t index, Isa isa);

}  // namespace liven::kernels
