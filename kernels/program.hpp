#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "liven/core/dtype.hpp"

/// Pointwise programs: what the fuser makes of chains of elementwise operations.
///
/// A program runs over N x P x C values (samples, pixels, channels) a short block at a time; intermediate values stay
/// in vector registers or in L1. The same program can stand alone (one pass over memory), be the *prologue* of a
/// convolution or GEMM (it makes the rows that are copied into the kernel's padded scratch) or its *epilogue* (it takes
/// the rows the kernel has just computed). That is all fusion there is.
namespace liven::kernels {

/// c is used by mad, select and dropout only.
enum class Opcode : uint8_t {
    // unary: dst = f(a)
    copy,
    neg,
    exp,
    log,
    sqrt,
    rsqrt,
    reciprocal,
    abs,
    square,
    sign,
    relu,
    leaky_relu,  // leaky_relu: a > 0 ? a : imm0 * a
    tanh,
    sigmoid,
    softplus,
    gelu,
    gelu_grad,
    erf,
    quick_gelu,
    clamp,        // min(max(a, imm0), imm1)
    pow_const,    // a ^ imm0
    scale_const,  // a * imm0
    add_const,    // a + imm0
    widen,        // a, an input stored as u8, as a float: the only way to read one
    // comparisons give 1 or 0
    positive,  // a > 0
    is_finite,
    // binary: dst = f(a, b)
    add,
    sub,
    mul,
    div,
    maximum,
    minimum,
    pow,
    greater,
    equal,
    leaky_step,  // (a > 0 ? 1 : imm0) * b: the gradient of (leaky) relu from its input or output a and dy b
    // ternary: dst = f(a, b, c)
    mad,     // a * b + c, one rounding
    select,  // a != 0 ? b : c
    dropout  // a kept with probability 1 - imm0 and scaled by imm1, else 0; b = seed, c = forward counter (i64
             // scalars); key
};

/// "leaky_relu": the enumerator's name, which is also the primitive operation's.
std::string_view name_of(Opcode op);
/// The opcode of that name, or nothing.
std::optional<Opcode> opcode_from(std::string_view name);
/// How many of a, b, c it reads.
constexpr int operands_of(Opcode op) { return op < Opcode::add ? 1 : op < Opcode::mad ? 2 : 3; }

/// How an input is read while the program walks N x P x C.
enum class Access : uint8_t {
    full,            ///< N x P x C
    channel,         ///< C: one value a channel
    sample_channel,  ///< N x 1 x C
    pixel,           ///< N x P x 1: one value a pixel
    scalar           ///< one value
};

/// Registers 0 .. inputs.size()-1 are the inputs; the instructions write the others, each exactly once.
struct Instruction {
    Opcode op{};
    uint8_t dst = 0, a = 0, b = 0, c = 0;
    float imm0 = 0, imm1 = 0;
    uint32_t key = 0;  ///< dropout: which layer and call
};

struct ProgramInput {
    int operand = 0;  ///< index among the step's inputs; -1: the core's result (first input of an epilogue)
    Access access = Access::full;
    DType dtype = DType::f32;  ///< i64 for dropout's seed and counter (scalars), u8 for pixels (full)
};

struct ProgramOutput {
    uint8_t source = 0;  ///< register
    int operand = 0;     ///< index among the step's outputs; -1: the core's operand (the one result of a prologue)
};

/// A sum over pixels that rides along with the program. Values are added in fp32 over blocks of at most 1,024 pixels
/// and from there on in double, in an order that depends on the shape alone.
struct Reduction {
    enum class Kind : uint8_t {
        sum,     ///< output: sum of the register
        moments  ///< outputs: mean and biased variance; shifted by each block's first pixel, merged by Chan's formula
    };
    enum class Over : uint8_t {
        pixels_and_samples,  ///< result C
        pixels,              ///< result N x C
        everything           ///< result scalar
    };
    Kind kind = Kind::sum;
    Over over = Over::pixels_and_samples;
    uint8_t source = 0;
    int operand = 0;    ///< step output that takes the sum or the mean
    int operand2 = -1;  ///< moments: step output that takes the variance
};

struct Program {
    std::vector<ProgramInput> inputs;
    std::vector<Instruction> code;
    std::vector<ProgramOutput> outputs;
    std::vector<Reduction> reductions;
    int registers = 0;

    /// Removes instructions whose result nothing reads, and numbers the registers anew.
    void drop_unused_code();
    bool empty() const { return code.empty() && outputs.empty() && reductions.empty(); }
    /// "%2 = leaky_relu(%0, 0.2); %3 = mad(%2, %c, %c)": for printed plans.
    std::string str() const;
};

/// Stores the core's result as it is: for those in bf16, and without the padding that a core may have.
const Program& storing_program();

}  // namespace liven::kernels
