#include <algorithm>
#include <catch2/catch.hpp>

#include "liven/core/attributes.hpp"
#include "step_runner.hpp"

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

constexpr Conv2dAttributes kSame3x3{.window = {.kernel = 3, .padding = {1, 1, 1, 1}}};

struct SmallTileCase {
    int64_t n, size, c, oc;
    double largest, large_tiles;  ///< stated errors, of F(2x2) and F(4x4)
};

/// In double.
std::vector<double> convolved_exactly(const SmallTileCase& s, const std::vector<float>& src,
                                      const std::vector<float>& weights) {
    std::vector<double> out(static_cast<size_t>(s.n * s.size * s.size * s.oc));
    const auto at = [](int64_t i) { return static_cast<size_t>(i); };
    for (int64_t p = 0; p < s.n * s.size * s.size; ++p)
        for (int64_t tap = 0; tap < 9; ++tap) {
            const int64_t y = p / s.size % s.size + tap / 3 - 1, x = p % s.size + tap % 3 - 1;
            if (y < 0 || y >= s.size || x < 0 || x >= s.size) continue;
            const float* pixel = &src[at(((p / (s.size * s.size) * s.size + y) * s.size + x) * s.c)];
            for (int64_t c = 0; c < s.c; ++c)
                for (int64_t o = 0; o < s.oc; ++o)
                    out[at(p * s.oc + o)] += double{pixel[c]} * double{weights[at((tap * s.c + c) * s.oc + o)]};
        }
    return out;
}

Problem problem_of(std::string_view op, const Shape& src, const Shape& second, const Shape& dst) {
    Problem problem;
    problem.op = op;
    problem.attributes = &kSame3x3;
    problem.inputs = {{.shape = src, .pixel_stride = src[3]}, {.shape = second, .pixel_stride = second[3]}};
    problem.outputs = {{.shape = dst, .pixel_stride = dst[3]}};
    return problem;
}

std::string chosen_for(std::string_view op, int64_t samples, int64_t h, int64_t w, int64_t channels) {
    const Shape map{samples, h, w, channels}, weights{3, 3, channels, channels};
    const bool gradient = op == "conv2d_weight_grad";
    const Problem problem = problem_of(op, map, gradient ? map : weights, gradient ? weights : map);
    return std::string(choose(problem, available_isas().back()).chosen->name);
}

}  // namespace

TEST_CASE("Winograd's small tile is the more exact one at every number of channels") {
    // Errors against sums in double, of the largest result: up to twice what AVX-512 gave.
    for (const SmallTileCase& s :
         {SmallTileCase{2, 32, 16, 16, 1.2e-6, 8e-6}, SmallTileCase{1, 28, 64, 64, 1.2e-6, 1.2e-5},
          SmallTileCase{1, 14, 256, 256, 1.5e-6, 2e-5}, SmallTileCase{2, 7, 512, 512, 2e-6, 3e-5}}) {
        const TestTensor src = random_tensor({s.n, s.size, s.size, s.c}, 1),
                         weights = random_tensor({3, 3, s.c, s.oc}, 2);
        TestTensor got = empty_tensor({s.n, s.size, s.size, s.oc});
        const std::vector<double> want = convolved_exactly(s, src.values, weights.values);
        const Problem problem = problem_of("conv2d", src.shape, weights.shape, got.shape);
        const auto error_of = [&](std::string_view name) {
            for (const KernelInfo& kernel : registry())
                if (kernel.name == name && kernel.isa == available_isas().back())
                    run_step(*kernel.make(problem, kernel.isa), {&src, &weights}, {&got});
            double error = 0, scale = 0;
            for (size_t i = 0; i < want.size(); ++i) {
                error = std::max(error, std::abs(double{got.values[i]} - want[i]));
                scale = std::max(scale, std::abs(want[i]));
            }
            return error / scale;
        };
        INFO(src.shape << " -> " << got.shape);
        const double small = error_of("conv2d_fwd_winograd_f2x2_nhwc_f32");
        const double large = error_of("conv2d_fwd_winograd_f4x4_nhwc_f32");
        CHECK(small <= s.largest);
        CHECK(large <= s.large_tiles);
        CHECK(small < large);
    }
}

TEST_CASE("Winograd's small tile is taken for maps of at most two rows and columns only") {
    for (const std::string_view op : {"conv2d", "conv2d_input_grad", "conv2d_weight_grad"})
        for (const int64_t channels : {16, 64, 256}) {
            INFO(op << " of " << channels << " channels");
            for (const int64_t size : {3, 4, 7, 14, 28, 56})
                CHECK(chosen_for(op, 64, size, size, channels).find("2x2") == std::string::npos);
            CHECK(chosen_for(op, 64, 2, 2, channels).find("2x2") != std::string::npos);
        }
}
