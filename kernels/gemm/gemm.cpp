// Matrix products: dst (m x n) = a (m x k) b (k x n), batched, either operand transposed.
//
// A unit is a block of dst (and of k, when dst is small). Per 256 steps of k it packs its block of b into panels two
// vectors wide and its block of a into strips of one tile's rows, both into this thread's L2, then runs every panel
// against every strip:
//     for k block: [pack a], [pack b]; for panel: for strip: register tile (kernels/isa/gemm.cpp)
// so that a panel is in L1 while the strips stream from L2. Rows of a that do not collide in L1 and blocks of b that
// one strip uses, or that are one piece of memory, are read in place. Weights of a dense layer (few rows) are thus read
// from memory exactly once. Three forms share this nest: blocks of dst; blocks of k too, whose partial results a second
// stage adds in their order; and, for few rows times a transposed b, dst' = b' a', whose rows are the long side. Large
// results without an epilogue are stored past the caches. With dot products of bf16 an element of the packed blocks is
// a pair along k, two products: the same walk at half the depth. a is stored in bf16 then, or made of it and rounded;
// of b weights in f32 are rounded as they are packed, so that few rows, for which the others read b in place, gain
// nothing. Expected: 90 % of the FMA peak for large shapes, 2.5 % for packing; 170 % with dot products; memory speed
// for dense layers.
#include <algorithm>
#include <string>

#include "kernels/by_isa.hpp"
#include "kernels/gemm/step.hpp"

namespace liven::kernels {

const GemmKernels& gemm_kernels_baseline();
const GemmKernels& gemm_kernels_avx2();
const GemmKernels& gemm_kernels_avx512();

const GemmKernels& gemm_kernels(Isa isa) {
    return by_isa(isa, gemm_kernels_baseline, gemm_kernels_avx2, gemm_kernels_avx512)();
}

namespace {

/// Matrices as the programs see them: every row a pixel.
Walk walk_of(const Shape& shape) {
    Walk walk{.samples = shape.rank() > 1 ? shape[0] : 1, .pixels = 1, .channels = shape.rank() > 0 ? shape[-1] : 1};
    for (int axis = 1; axis + 1 < shape.rank(); ++axis) walk.pixels *= shape[axis];
    return walk;
}

/// No operand or sum of the program tells samples apart.
bool ignores_samples(const Program& program) {
    for (const ProgramInput& input : program.inputs)
        if (input.access == Access::sample_channel) return false;
    for (const Reduction& reduction : program.reductions)
        if (reduction.over == Reduction::Over::pixels) return false;
    return true;
}

Walk joined(const Walk& walk) {
    return {.samples = 1, .pixels = walk.samples * walk.pixels, .channels = walk.channels};
}

Shape epilogue_shape(const Problem& problem) {
    if (problem.epilogue_shape.rank() > 0) return problem.epilogue_shape;
    for (const ProgramOutput& output : problem.epilogue->outputs)
        if (output.operand >= 0) return problem.outputs[static_cast<size_t>(output.operand)].shape;
    return {};
}

}  // namespace

Walk gemm_walk(const Program& program, const Shape& shape) {
    const Walk walk = walk_of(shape);
    return ignores_samples(program) ? joined(walk) : walk;
}

Walk gemm_epilogue_walk(const Problem& problem) { return gemm_walk(*problem.epilogue, epilogue_shape(problem)); }

namespace {

/// What the epilogue asks of the cut: whole rows of dst, and sums that no unit shares between samples.
std::string refuse_epilogue(const Problem& problem, const GemmPlan& plan) {
    const Walk walk = gemm_epilogue_walk(problem);
    if (walk.channels != plan.dst_columns() || walk.samples * walk.pixels != plan.batch * plan.dst_rows())
        return "the epilogue does not see the result as its rows and columns";
    if (problem.epilogue->reductions.empty() || walk.samples == 1) return {};
    if (plan.form != GemmForm::split_k && walk.samples == plan.batch) return {};
    return "the epilogue sums over samples that units share";
}

std::string refuse_prologue(const Problem& problem) {
    if (!problem.prologue[0]->reductions.empty()) return "the prologue sums, but a unit may make rows twice";
    return {};
}

/// The same problem with an epilogue where a bare result is stored in bf16.
Problem rounding(Problem problem) {
    if (problem.epilogue || problem.outputs.empty() || problem.outputs[0].dtype != DType::bf16) return problem;
    problem.epilogue = &storing_program();
    problem.epilogue_shape = problem.outputs[0].shape;
    return problem;
}

/// What a kernel is registered for.
struct GemmKind {
    GemmForm form = GemmForm::tiles;
    GemmProducts products = GemmProducts::f32;
    DType b = DType::f32;  ///< of products in f32; dot products take either

    bool dots() const { return products == GemmProducts::dots; }
};

template <GemmKind kind>
std::string plan_with_programs(const Problem& problem, Isa isa, GemmPlan& plan) {
    std::string reason = plan_gemm(problem, kind.form, kind.products, gemm_kernels(isa), plan);
    if (reason.empty() && !kind.dots() && plan.b_bf16 != (kind.b == DType::bf16))
        reason = "expected operand b in " + std::string(name_of(kind.b));
    if (reason.empty() && problem.epilogue) reason = refuse_epilogue(problem, plan);
    if (reason.empty() && problem.prologue[0]) reason = refuse_prologue(problem);
    return reason;
}

/// Of which a dot product counts as one.
double flops(const GemmPlan& plan) {
    return 2.0 * static_cast<double>(plan.batch) * static_cast<double>(plan.m) * static_cast<double>(plan.n) *
           static_cast<double>(plan.k);
}

constexpr std::string_view takes_of(const GemmKind& kind) {
    const bool bf16 = kind.b == DType::bf16, split = kind.form == GemmForm::split_k;
    if (kind.form == GemmForm::turned) return "b transposed, at most 32 rows of many columns, a as it lies in f32";
    if (kind.dots())
        return split ? "a in bf16, few results of 2,048 products and more; AVX512_BF16"
                     : "a in bf16, b weights in f32 or also in bf16; AVX512_BF16";
    if (split)
        return bf16 ? "b in bf16, a in f32 or bf16, 1,024 products to a result and more, few results"
                    : "b in f32, a in f32 or bf16, 1,024 products to a result and more, few results";
    return bf16 ? "b in bf16, not transposed; a in f32 or bf16"
                : "any matrices, a in f32 or bf16; a made by a program up to 512 columns";
}

template <GemmKind kind, Isa isa>
KernelInfo entry(std::string_view name, std::string_view tile) {
    return {.op = "matmul",
            .name = name,
            .isa = isa,
            .tile = tile,
            .takes = takes_of(kind),
            .refuse =
                [](const Problem& problem) {
                    GemmPlan plan;
                    return plan_with_programs<kind>(rounding(problem), isa, plan);
                },
            .cost =
                [](const Problem& problem) {
                    GemmPlan plan;
                    plan_gemm(rounding(problem), kind.form, kind.products, gemm_kernels(isa), plan);
                    return flops(plan) * 1e-12 * plan.overhead;
                },
            .make = [](const Problem& bare, Isa) -> std::unique_ptr<Step> {
                const Problem problem = rounding(bare);
                GemmPlan plan;
                plan_gemm(problem, kind.form, kind.products, gemm_kernels(isa), plan);
                return std::make_unique<GemmStep>(problem, plan, isa);
            }};
}

/// The names of one ISA's kernels; those of the `_bf16` ones say what operand b is stored in.
struct GemmNames {
    std::string_view tile, tiles, split_k, turned, tiles_bf16, split_k_bf16;
};

template <Isa isa>
void register_forms(std::vector<KernelInfo>& out, const GemmNames& names) {
    constexpr DType bf16 = DType::bf16;
    out.push_back(entry<GemmKind{.form = GemmForm::tiles}, isa>(names.tiles, names.tile));
    out.push_back(entry<GemmKind{.form = GemmForm::split_k}, isa>(names.split_k, names.tile));
    out.push_back(entry<GemmKind{.form = GemmForm::turned}, isa>(names.turned, names.tile));
    out.push_back(entry<GemmKind{.form = GemmForm::tiles, .b = bf16}, isa>(names.tiles_bf16, names.tile));
    out.push_back(entry<GemmKind{.form = GemmForm::split_k, .b = bf16}, isa>(names.split_k_bf16, names.tile));
}

}  // namespace

void register_gemm(std::vector<KernelInfo>& out) {
    register_forms<Isa::baseline>(out, {.tile = "4 rows x 8 columns",
                                        .tiles = "matmul_packed_4x8_f32",
                                        .split_k = "matmul_split_k_4x8_f32",
                                        .turned = "matmul_turned_4x8_f32",
                                        .tiles_bf16 = "matmul_packed_4x8_f32_bf16",
                                        .split_k_bf16 = "matmul_split_k_4x8_f32_bf16"});
    register_forms<Isa::avx2>(out, {.tile = "6 rows x 16 columns",
                                    .tiles = "matmul_packed_6x16_f32",
                                    .split_k = "matmul_split_k_6x16_f32",
                                    .turned = "matmul_turned_6x16_f32",
                                    .tiles_bf16 = "matmul_packed_6x16_f32_bf16",
                                    .split_k_bf16 = "matmul_split_k_6x16_f32_bf16"});
    register_forms<Isa::avx512>(out, {.tile = "12 rows x 32 columns",
                                      .tiles = "matmul_packed_12x32_f32",
                                      .split_k = "matmul_split_k_12x32_f32",
                                      .turned = "matmul_turned_12x32_f32",
                                      .tiles_bf16 = "matmul_packed_12x32_f32_bf16",
                                      .split_k_bf16 = "matmul_split_k_12x32_f32_bf16"});
    constexpr GemmProducts dots = GemmProducts::dots;
    out.push_back(entry<GemmKind{.form = GemmForm::tiles, .products = dots}, Isa::avx512>(
        "matmul_packed_dots_12x32_bf16", "12 rows x 32 columns"));
    out.push_back(entry<GemmKind{.form = GemmForm::split_k, .products = dots}, Isa::avx512>(
        "matmul_split_k_dots_12x32_bf16", "12 rows x 32 columns"));
}

}  // namespace liven::kernels
