#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "liven/core/attributes.hpp"
#include "step_runner.hpp"

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

constexpr Conv2dAttributes kSame3x3{.window = {.kernel = 3, .padding = {1, 1, 1, 1}}};

/// A layer over small maps, and its stated errors: the largest and the rms, of the largest element.
struct StatedLayer {
    int64_t samples, size, channels;
    double large_tiles, large_tiles_rms;  ///< of F(4x4)
    double small_tiles, small_tiles_rms;  ///< of F(2x2)

    Shape map() const { return {samples, size, size, channels}; }
    Shape weights() const { return {3, 3, channels, channels}; }
};

/// Of the values as they are in double: convolved, or as the gradient of the source, which turns the kernel about and
/// exchanges its channels.
std::vector<double> convolved_exactly(const StatedLayer& s, const std::vector<float>& src,
                                      const std::vector<float>& weights, bool gradient) {
    const auto at = [](int64_t i) { return static_cast<size_t>(i); };
    const int64_t c = s.channels;
    std::vector<double> out(src.size()), kernel(weights.size());
    for (int64_t tap = 0; tap < 9; ++tap)
        for (int64_t i = 0; i < c; ++i)
            for (int64_t o = 0; o < c; ++o)
                kernel[at((tap * c + i) * c + o)] =
                    double{weights[gradient ? at(((8 - tap) * c + o) * c + i) : at((tap * c + i) * c + o)]};
    for (int64_t p = 0; p < s.samples * s.size * s.size; ++p)
        for (int64_t tap = 0; tap < 9; ++tap) {
            const int64_t y = p / s.size % s.size + tap / 3 - 1, x = p % s.size + tap % 3 - 1;
            if (y < 0 || y >= s.size || x < 0 || x >= s.size) continue;
            const float* pixel = &src[at(((p / (s.size * s.size) * s.size + y) * s.size + x) * c)];
            for (int64_t i = 0; i < c; ++i)
                for (int64_t o = 0; o < c; ++o)
                    out[at(p * c + o)] += double{pixel[i]} * kernel[at((tap * c + i) * c + o)];
        }
    return out;
}

struct StatedError {
    double largest = 0, rms = 0;  ///< of the largest element
};

StatedError error_of(const std::vector<float>& got, const std::vector<double>& want) {
    StatedError error;
    double scale = 0;
    for (size_t i = 0; i < want.size(); ++i) {
        const double difference = std::abs(double{got[i]} - want[i]);
        error.largest = difference > error.largest || std::isnan(difference) ? difference : error.largest;
        error.rms += difference * difference;
        scale = std::max(scale, std::abs(want[i]));
    }
    error.rms = std::sqrt(error.rms / static_cast<double>(want.size())) / scale;
    error.largest /= scale;
    return error;
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

TEST_CASE("Winograd's errors against sums in double are those stated, forward and back, of every kernel and ISA") {
    // Twice what the worst ISA gave, but never more than 3e-5 and 6e-6. The weight gradient's:
    // winograd_weight_grad_test.
    const auto layer = GENERATE(
        StatedLayer{2, 24, 16, 8e-6, 5.5e-7, 4e-7, 8e-8}, StatedLayer{1, 24, 32, 1.2e-5, 7e-7, 6.5e-7, 1e-7},
        StatedLayer{1, 16, 64, 1.8e-5, 1e-6, 7e-7, 1.4e-7}, StatedLayer{1, 12, 128, 1.8e-5, 1.1e-6, 1.1e-6, 1.7e-7},
        StatedLayer{2, 6, 256, 2.6e-5, 1.6e-6, 1.2e-6, 2.2e-7}, StatedLayer{1, 5, 512, 3e-5, 2e-6, 1.8e-6, 3e-7});
    const TestTensor src = random_tensor(layer.map(), 1), weights = random_tensor(layer.weights(), 2);
    for (const bool gradient : {false, true}) {
        const std::string_view op = gradient ? "conv2d_input_grad" : "conv2d";
        const std::vector<double> want = convolved_exactly(layer, src.values, weights.values, gradient);
        const Problem problem = problem_of(op, layer.map(), layer.weights(), layer.map());
        int measured = 0;
        for (const Isa isa : available_isas()) {
            double large = 0, small = 0;
            for (const KernelInfo& kernel : registry()) {
                if (kernel.op != op || kernel.isa != isa || kernel.name.find("winograd") == std::string_view::npos)
                    continue;
                if (!kernel.refuse(problem).empty()) continue;
                TestTensor got = empty_tensor(layer.map());
                run_step(*kernel.make(problem, isa), {&src, &weights}, {&got});
                const StatedError error = error_of(got.values, want);
                const bool two = kernel.name.find("f2x2") != std::string_view::npos;
                (two ? small : large) = std::max(two ? small : large, error.largest);
                INFO(kernel.name << " on " << name_of(isa) << " over " << layer.map() << ": " << error.largest
                                 << ", rms " << error.rms);
                CHECK(error.largest <= (two ? layer.small_tiles : layer.large_tiles));
                CHECK(error.rms <= (two ? layer.small_tiles_rms : layer.large_tiles_rms));
                ++measured;
            }
            CHECK(small < large);
        }
        // F(4x4) in both orders of its loops, and F(2x2).
        CHECK(measured == 3 * static_cast<int>(available_isas().size()));
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
