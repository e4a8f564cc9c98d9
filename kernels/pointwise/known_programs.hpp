#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "kernels/pointwise/program_view.hpp"

/// Programs that norms and activations leave behind in nearly every step of a network, and Adam's, compiled instruction
/// by instruction into loops of their own. As chains they load what a channel needs for every pixel anew and send what
/// is summed through L1; in a loop of their own a channel's values stay in registers while its pixels pass. Constants
/// of instructions (a slope, a rate of decay) are the program's own.
namespace liven::kernels {

/// A sum over pixels of a register, or its moments.
struct KnownSum {
    Reduction::Kind kind = Reduction::Kind::sum;
    uint8_t source = 0;
};

struct KnownProgram {
    /// A letter each: m a map in memory, c values by channel, s a scalar, r the core's result.
    std::string_view inputs;
    size_t length = 0;  ///< instructions
    std::array<Instruction, 16> code{};
    size_t output_count = 1;
    std::array<uint8_t, 3> outputs{};  ///< registers that are written
    size_t sum_count = 0;
    std::array<KnownSum, 3> sums{};  ///< at most one of moments
};

constexpr auto known_programs = [] {
    using enum Opcode;
    return std::array{
        // relu of a normalised map
        KnownProgram{
            .inputs = "mccc", .length = 3, .code = {{{sub, 4, 0, 1}, {mad, 5, 4, 2, 3}, {relu, 6, 5}}}, .outputs = {6}},
        // the end of a residual block: of a normalised map and the block's own input
        KnownProgram{.inputs = "mcccm",
                     .length = 4,
                     .code = {{{sub, 5, 0, 1}, {mad, 6, 5, 2, 3}, {add, 7, 6, 4}, {relu, 8, 7}}},
                     .outputs = {8}},
        // of two normalised maps
        KnownProgram{.inputs = "mcccmccc",
                     .length = 6,
                     .code = {{{sub, 8, 0, 1},
                               {mad, 9, 8, 2, 3},
                               {sub, 10, 4, 5},
                               {mad, 11, 10, 6, 7},
                               {add, 12, 9, 11},
                               {relu, 13, 12}}},
                     .outputs = {13}},
        // the gradient behind a norm, of the gradient before it and of what was normalised
        KnownProgram{.inputs = "mcmccc",
                     .length = 3,
                     .code = {{{sub, 6, 2, 3}, {mad, 7, 6, 4, 5}, {mad, 8, 0, 1, 7}}},
                     .outputs = {8}},
        // a result with its moments
        KnownProgram{.inputs = "r",
                     .length = 1,
                     .code = {{{copy, 1, 0}}},
                     .outputs = {1},
                     .sum_count = 1,
                     .sums = {{{Reduction::Kind::moments, 0}}}},
        // the gradient before relu and norm, with the sums that the norm's gradient needs
        KnownProgram{.inputs = "mcccr",
                     .length = 5,
                     .code = {{{sub, 5, 0, 1}, {mad, 6, 5, 2, 3}, {relu, 7, 6}, {leaky_step, 8, 7, 4}, {mul, 9, 8, 5}}},
                     .outputs = {8},
                     .sum_count = 2,
                     .sums = {{{.source = 9}, {.source = 8}}}},
        // the same at the end of a residual block, whose result was stored
        KnownProgram{.inputs = "mrmmc",
                     .length = 4,
                     .code = {{{add, 5, 0, 1}, {leaky_step, 6, 2, 5}, {sub, 7, 3, 4}, {mul, 8, 6, 7}}},
                     .outputs = {6},
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
                     .outputs = {12},
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
                     .outputs = {17},
                     .sum_count = 3,
                     .sums = {{{.source = 18}, {.source = 17}, {.source = 19}}}},
        // a result that is made again for the backward pass, centred
        KnownProgram{.inputs = "rc", .length = 1, .code = {{{sub, 2, 0, 1}}}, .outputs = {2}},
        // with the sum that the norm's gradient needs
        KnownProgram{.inputs = "rcm",
                     .length = 2,
                     .code = {{{sub, 3, 0, 1}, {mul, 4, 2, 3}}},
                     .outputs = {3},
                     .sum_count = 1,
                     .sums = {{{.source = 4}}}},
        // or with both sums, of the gradient before relu and norm
        KnownProgram{.inputs = "rcccm",
                     .length = 5,
                     .code = {{{sub, 5, 0, 1}, {mad, 6, 5, 2, 3}, {relu, 7, 6}, {leaky_step, 8, 7, 4}, {mul, 9, 8, 5}}},
                     .outputs = {5},
                     .sum_count = 2,
                     .sums = {{{.source = 9}, {.source = 8}}}},
        // A norm behind an activation, as in the AttackNets: what a convolution writes with the moments of its
        // activation, a relu's that is kept,
        KnownProgram{.inputs = "rc",
                     .length = 2,
                     .code = {{{add, 2, 0, 1}, {leaky_relu, 3, 2}}},
                     .outputs = {2},
                     .sum_count = 1,
                     .sums = {{{Reduction::Kind::moments, 3}}}},
        KnownProgram{.inputs = "rc",
                     .length = 2,
                     .code = {{{add, 2, 0, 1}, {relu, 3, 2}}},
                     .outputs = {3},
                     .sum_count = 1,
                     .sums = {{{Reduction::Kind::moments, 3}}}},
        // the gradient before an activation,
        KnownProgram{.inputs = "mm", .length = 1, .code = {{{leaky_step, 2, 0, 1}}}, .outputs = {2}},
        // the normalised sum of a shortcut and what it passes by, and the same centred,
        KnownProgram{.inputs = "mmccc",
                     .length = 3,
                     .code = {{{add, 5, 0, 1}, {sub, 6, 5, 2}, {mad, 7, 6, 3, 4}}},
                     .outputs = {7}},
        KnownProgram{.inputs = "mmc", .length = 2, .code = {{{add, 3, 0, 1}, {sub, 4, 3, 2}}}, .outputs = {4}},
        // the gradient behind their norm, which the shortcut takes, with the sum of the one before the activation,
        KnownProgram{
            .inputs = "rcmmccc",
            .length = 5,
            .code = {{{add, 7, 2, 3}, {sub, 8, 7, 4}, {mad, 9, 8, 5, 6}, {mad, 10, 0, 1, 9}, {leaky_step, 11, 3, 10}}},
            .outputs = {10},
            .sum_count = 1,
            .sums = {{{.source = 11}}}},
        // the same without a shortcut,
        KnownProgram{.inputs = "rcmccc",
                     .length = 4,
                     .code = {{{sub, 6, 2, 3}, {mad, 7, 6, 4, 5}, {mad, 8, 0, 1, 7}, {leaky_step, 9, 2, 8}}},
                     .outputs = {8},
                     .sum_count = 1,
                     .sums = {{{.source = 9}}}},
        // and the gradient before the activation where the shortcut's comes back
        KnownProgram{.inputs = "mmmcccc",
                     .length = 6,
                     .code = {{{leaky_relu, 7, 1},
                               {sub, 8, 7, 4},
                               {mad, 9, 8, 5, 6},
                               {mad, 10, 2, 3, 9},
                               {leaky_step, 11, 7, 10},
                               {add, 12, 0, 11}}},
                     .outputs = {12},
                     .sum_count = 1,
                     .sums = {{{.source = 12}}}},
        // a shortcut's gradient
        KnownProgram{.inputs = "mr", .length = 1, .code = {{{add, 2, 0, 1}}}, .outputs = {2}},
        // a map and a normalised one
        KnownProgram{.inputs = "mmccc",
                     .length = 3,
                     .code = {{{sub, 5, 1, 2}, {mad, 6, 5, 3, 4}, {add, 7, 0, 6}}},
                     .outputs = {7}},
        // the gradient before relu and norm of a sum of gradients
        KnownProgram{.inputs = "mrmccc",
                     .length = 6,
                     .code = {{{add, 6, 0, 1},
                               {sub, 7, 2, 3},
                               {mad, 8, 7, 4, 5},
                               {relu, 9, 8},
                               {leaky_step, 10, 9, 6},
                               {mul, 11, 10, 7}}},
                     .outputs = {10},
                     .sum_count = 2,
                     .sums = {{{.source = 11}, {.source = 10}}}},
        // Adam where the gradient is made, and where it lies in memory
        KnownProgram{.inputs = "rmsmsms",
                     .length = 16,
                     .code = {{{scale_const, 7, 0},
                               {scale_const, 8, 1},
                               {add, 9, 8, 7},
                               {mul, 10, 9, 2},
                               {square, 11, 0},
                               {scale_const, 12, 11},
                               {scale_const, 13, 3},
                               {add, 14, 13, 12},
                               {sqrt, 15, 14},
                               {mul, 16, 15, 4},
                               {add_const, 17, 16},
                               {div, 18, 10, 17},
                               {sub, 19, 5, 18},
                               {select, 20, 6, 19, 5},
                               {select, 21, 6, 9, 1},
                               {select, 22, 6, 14, 3}}},
                     .output_count = 3,
                     .outputs = {20, 21, 22}},
        KnownProgram{.inputs = "smmmsms",
                     .length = 16,
                     .code = {{{scale_const, 7, 2},
                               {scale_const, 8, 3},
                               {add, 9, 7, 8},
                               {mul, 10, 9, 4},
                               {scale_const, 11, 5},
                               {square, 12, 3},
                               {scale_const, 13, 12},
                               {add, 14, 11, 13},
                               {sqrt, 15, 14},
                               {mul, 16, 15, 6},
                               {add_const, 17, 16},
                               {div, 18, 10, 17},
                               {sub, 19, 1, 18},
                               {select, 20, 0, 19, 1},
                               {select, 21, 0, 9, 2},
                               {select, 22, 0, 14, 5}}},
                     .output_count = 3,
                     .outputs = {20, 21, 22}}};
}();

/// Which of them the program is: the same instructions over operands in f32 and at least a vector of channels.
std::optional<size_t> find_known_program(const Program& program, std::span<const Operand> inputs,
                                         std::span<const Operand> outputs, int64_t channels);

using RunProgram = decltype(ProgramView::run);
RunProgram known_program(size_t index, Isa isa);

}  // namespace liven::kernels
