#include "kernels/conv2d/measured_costs.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "liven/core/error.hpp"

// What the kernels of convolutions cost where nobody has tuned.

using namespace liven;
using namespace liven::kernels;

namespace {

constexpr Isa kAllIsas[] = {Isa::baseline, Isa::avx2, Isa::avx512};

MeasuredConvolution convolution_of(std::string_view op, int64_t samples, int64_t size, int64_t src_c, int64_t dst_c) {
    MeasuredConvolution out;
    out.op = op;
    out.attributes.window = {.kernel = {3}, .padding = {1, 1, 1, 1}};
    out.geometry = {.samples = samples,
                    .src_h = size,
                    .src_w = size,
                    .src_c = src_c,
                    .dst_h = size,
                    .dst_w = size,
                    .dst_c = dst_c,
                    .window = out.attributes.window};
    return out;
}

/// Kernels of the baseline over it, the first of them twice as fast as the others.
MeasuredConvolution timed(MeasuredConvolution convolution) {
    for (const KernelInfo* kernel : accepting(convolution.problem(), Isa::baseline))
        convolution.shares.emplace_back(kernel->name, convolution.shares.empty() ? 2.0 : 1.0);
    return convolution;
}

double share_in(const MeasuredConvolution& convolution, std::string_view kernel) {
    for (const auto& [name, share] : convolution.shares)
        if (name == kernel) return share;
    return 0;
}

}  // namespace

TEST_CASE(
    "The default costs are of kernels that there are, say where they were measured, and are written as they are read") {
    const MeasuredCosts& costs = MeasuredCosts::built_in();
    for (const Isa isa : kAllIsas) {
        INFO(name_of(isa));
        CHECK(costs.machine(isa).size() > std::string("2026-01-01").size());
        CHECK(costs.all(isa).size() > 100);
        for (const MeasuredConvolution* c : costs.all(isa))
            for (const auto& [name, share] : c->shares) {
                INFO(name << ": if it is gone, make kernels/conv2d/measured_costs.inc again");
                CHECK(
                    std::any_of(registry().begin(), registry().end(), [&name = name, c, isa](const KernelInfo& kernel) {
                        return kernel.name == name && kernel.isa == isa && kernel.op == c->op;
                    }));
            }
    }
    CHECK(MeasuredCosts::parse(costs.str(), "test").str() == costs.str());
}

TEST_CASE(
    "Over a measured shape the default choice is within a tenth of the fastest, or the estimates differ by four") {
    size_t shapes = 0, slower = 0;
    for (const Isa isa : kAllIsas)
        for (const MeasuredConvolution* c : MeasuredCosts::built_in().all(isa)) {
            const Problem problem = c->problem();
            const Choice choice = choose(problem, isa);
            if (choice.near.empty()) continue;  // a kernel has come since
            ++shapes;
            double most = 0;
            for (const auto& [name, share] : c->shares) most = std::max(most, share);
            slower += share_in(*c, choice.chosen->name) < 0.9 * most ? 1 : 0;
        }
    CHECK(shapes > 300);
    CHECK(slower <= shapes / 50);
}

TEST_CASE("No default choice costs more than some four times what the estimates would choose") {
    for (const Isa isa : kAllIsas)
        for (const std::string_view op : {"conv2d", "conv2d_input_grad", "conv2d_weight_grad"})
            for (const int64_t samples : {1, 3, 16})
                for (const int64_t size : {1, 2, 5, 14, 56, 130})
                    for (const int64_t src_c : {3, 16, 24, 40, 128, 500})
                        for (const int64_t dst_c : {2, 16, 64, 200}) {
                            const MeasuredConvolution c = convolution_of(op, samples, size, src_c, dst_c);
                            const Problem problem = c.problem();
                            double least = INFINITY;
                            for (const KernelInfo* kernel : accepting(problem, isa))
                                least = std::min(least, kernel->cost(problem));
                            const KernelInfo* chosen = choose(problem, isa).chosen;
                            INFO(chosen->name << " for " << op << " " << samples << "x" << size << " " << src_c
                                              << " -> " << dst_c);
                            CHECK(chosen->cost(problem) <= 4.3 * least);
                        }
}

TEST_CASE("A measured shape says something of those near it, and of no others") {
    const MeasuredConvolution middle = timed(convolution_of("conv2d", 8, 28, 64, 96));
    MeasuredCosts costs;
    costs.set(Isa::baseline, middle);
    const auto is_near = [&](const MeasuredConvolution& other, Isa isa = Isa::baseline) {
        const Problem problem = other.problem();
        return costs.near(problem, isa, accepting(problem, Isa::baseline)) != nullptr;
    };
    CHECK(is_near(middle));
    CHECK(is_near(convolution_of("conv2d", 16, 20, 48, 96)));
    CHECK(is_near(convolution_of("conv2d", 2, 28, 64, 96)));
    CHECK_FALSE(is_near(convolution_of("conv2d", 1, 28, 64, 96)));
    CHECK_FALSE(is_near(convolution_of("conv2d", 40, 28, 64, 96)));
    CHECK_FALSE(is_near(convolution_of("conv2d", 8, 57, 64, 96)));
    CHECK_FALSE(is_near(convolution_of("conv2d", 8, 28, 100, 96)));
    CHECK_FALSE(is_near(convolution_of("conv2d", 8, 28, 64, 32)));
    CHECK_FALSE(is_near(convolution_of("conv2d_input_grad", 8, 28, 64, 96)));
    CHECK_FALSE(is_near(middle, Isa::avx2));
    // Where one of the kernels was not timed, the others' times say nothing.
    MeasuredConvolution part = middle;
    part.shares.pop_back();
    costs.set(Isa::baseline, part);
    CHECK(costs.all(Isa::baseline).size() == 1);
    CHECK_FALSE(is_near(middle));
}

TEST_CASE("A measurement corrects an estimate by what it missed, at most twofold") {
    MeasuredConvolution c = timed(convolution_of("conv2d", 8, 28, 64, 96));
    const Problem problem = c.problem(), near = convolution_of("conv2d", 8, 32, 64, 96).problem();
    const KernelInfo& kernel = *accepting(problem, Isa::baseline).front();
    const double estimated = kernel.cost(problem);
    for (const double missed : {0.01, 0.7, 1.0, 1.6, 90.0}) {
        c.shares.front().second = c.geometry.flops() * 1e-12 / (estimated * missed);
        const double factor = std::clamp(missed, 0.5, 2.0);
        CHECK(corrected_cost(kernel, problem, c) == Approx(factor * estimated));
    }
}

TEST_CASE("Hostile default costs are errors that name the line") {
    const std::string head = "liven-costs 1\nkernel 0 conv2d_fwd_direct_nhwc_f32\n";
    const std::string kind = "avx2 conv2d 3x3 stride 1x1 padding 1,1,1,1 dilation 1x1 groups 1\n";
    CHECK(MeasuredCosts::parse(head + kind + " 2x8x8x16 32 0 0.9\n", "test").all(Isa::avx2).size() == 1);
    for (const std::string& text : {std::string(),
                                    std::string("liven-costs 2\n"),
                                    head + " 2x8x8x16 32 0 0.9\n",
                                    head + "kernel x y\n",
                                    head + "kernel 1\n",
                                    head + "sse9 conv2d\n",
                                    head + "machine sse9 today\n",
                                    head + "avx2 conv2d 3x3\n",
                                    head + "avx2 conv2d 3x stride 1x1 padding 1,1,1,1 dilation 1x1 groups 1\n",
                                    head + "avx2 conv2d 3x3 stride 0x1 padding 1,1,1,1 dilation 1x1 groups 1\n",
                                    head + "avx2 conv2d 3x3 stride 1x1 padding -1,1,1,1 dilation 1x1 groups 1\n",
                                    head + kind + " 2x8x8x16 32\n",
                                    head + kind + " 2x8x8x16 32 0\n",
                                    head + kind + " 2x8x8x16 32 0 0\n",
                                    head + kind + " 2x8x8x16 32 0 nan\n",
                                    head + kind + " 2x8x8x16 32 7 0.9\n",
                                    head + kind + " 2x8x8 32 0 0.9\n",
                                    head + kind + " 0x8x8x16 32 0 0.9\n",
                                    head + kind + " 99999999x8x8x16 32 0 0.9\n",
                                    head + kind + " 2x8x8x16 x 0 0.9\n"}) {
        INFO(text);
        CHECK_THROWS_AS(MeasuredCosts::parse(text, "test"), Error);
    }
    CHECK_THROWS_WITH(MeasuredCosts::parse(head + "avx2 conv2d\n", "a.inc"),
                      Catch::Contains("a.inc") && Catch::Contains("line 3") && Catch::Contains("liven tune"));
}
