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

/// Behind an upsampled map: a strided convolution whose input gradient that is.
constexpr Conv2dAttributes kUpsampled{.window = {.kernel = 3, .stride = 2, .padding = {.top = 1, .left = 1}},
                                      .middle_is_sum = true};

/// What is stated of a kernel's results: the largest error and the rms, of the largest element.
struct StatedError {
    double largest = 0, rms = 0;
};

/// A layer over small maps, and its stated errors.
struct StatedLayer {
    int64_t samples, size, channels;
    StatedError large_tiles, small_tiles;  ///< of F(4x4) and F(2x2)

    Shape map() const { return {samples, size, size, channels}; }
    Shape weights() const { return {3, 3, channels, channels}; }
};

/// A convolution with as many source as result channels.
struct ExactConvolution {
    const Conv2dAttributes& attributes;
    Shape src, dst;

    /// Calls take(source pixel, tap, result pixel) for whatever is multiplied.
    template <class Take>
    void each(const Take& take) const {
        const Window2d& w = attributes.window;
        for (int64_t p = 0; p < dst[0] * dst[1] * dst[2]; ++p)
            for (int64_t tap = 0; tap < 9; ++tap) {
                const int64_t y = p / dst[2] % dst[1] * w.stride.h + tap / 3 - w.padding.top;
                const int64_t x = p % dst[2] * w.stride.w + tap % 3 - w.padding.left;
                if (y < 0 || y >= src[1] || x < 0 || x >= src[2]) continue;
                take((p / (dst[1] * dst[2]) * src[1] + y) * src[2] + x, tap, p);
            }
    }

    /// Of the values as they are in double: the result, or the gradient of the source. In the order in which neither
    /// walks far, since these are many.
    std::vector<double> result(const std::vector<float>& map, const std::vector<float>& weights, bool gradient) const {
        const int64_t c = src[3];
        const auto at = [](int64_t i) { return static_cast<size_t>(i); };
        std::vector<double> kernel(weights.size()), out(at(gradient ? src.count() : dst.count()));
        for (int64_t tap = 0; tap < 9; ++tap)
            for (int64_t i = 0; i < c; ++i)
                for (int64_t o = 0; o < c; ++o)
                    kernel[at((tap * c + i) * c + o)] =
                        double{weights[gradient ? at((tap * c + o) * c + i) : at((tap * c + i) * c + o)]};
        each([&](int64_t from, int64_t tap, int64_t to) {
            if (gradient) std::swap(from, to);
            for (int64_t i = 0; i < c; ++i)
                for (int64_t o = 0; o < c; ++o)
                    out[at(to * c + o)] += double{map[at(from * c + i)]} * kernel[at((tap * c + i) * c + o)];
        });
        return out;
    }

    std::vector<double> weight_grad(const std::vector<float>& map, const std::vector<float>& diff) const {
        const int64_t c = src[3];
        const auto at = [](int64_t i) { return static_cast<size_t>(i); };
        std::vector<double> out(at(9 * c * c));
        each([&](int64_t from, int64_t tap, int64_t to) {
            for (int64_t i = 0; i < c; ++i)
                for (int64_t o = 0; o < c; ++o)
                    out[at((tap * c + i) * c + o)] += double{map[at(from * c + i)]} * double{diff[at(to * c + o)]};
        });
        return out;
    }
};

/// What counts of the gradient of weights whose middle is a sum: along each axis the sums of the middle and either
/// outer tap.
template <class T>
std::vector<T> sums_over_neighbours(const std::vector<T>& taps) {
    const size_t channels = taps.size() / 9;
    std::vector<T> out;
    for (const size_t corner : std::initializer_list<size_t>{0, 1, 3, 4})
        for (size_t i = 0; i < channels; ++i) {
            const auto at = [&](size_t tap) { return taps[(corner + tap) * channels + i]; };
            out.push_back((at(0) + at(1)) + (at(3) + at(4)));
        }
    return out;
}

/// Weights whose middle is the sum of the outer two, exactly.
TestTensor weights_of_upsampled(int64_t channels) {
    TestTensor out = random_tensor({3, 3, channels, channels}, 2);
    const auto square = static_cast<size_t>(channels * channels);
    for (float& value : out.values) value = std::round(value * 4096) / 4096;
    const auto sum = [&](size_t to, size_t a, size_t b) {
        for (size_t i = 0; i < square; ++i)
            out.values[to * square + i] = out.values[a * square + i] + out.values[b * square + i];
    };
    sum(1, 0, 2);
    sum(7, 6, 8);
    for (size_t x = 0; x < 3; ++x) sum(3 + x, x, 6 + x);
    return out;
}

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

/// What the kernels' own estimates would choose.
std::string estimated_best(std::string_view op, int64_t samples, int64_t h, int64_t w, int64_t channels) {
    const Shape map{samples, h, w, channels}, weights{3, 3, channels, channels};
    const bool gradient = op == "conv2d_weight_grad";
    const Problem problem = problem_of(op, map, gradient ? map : weights, gradient ? weights : map);
    const auto kernels = accepting(problem, available_isas().back());
    return std::string(
        (*std::min_element(kernels.begin(), kernels.end(), [&](const KernelInfo* a, const KernelInfo* b) {
            return a->cost(problem) < b->cost(problem);
        }))->name);
}

}  // namespace

TEST_CASE("Winograd's errors against sums in double are those stated, forward and back, of every kernel and ISA") {
    // Twice what the worst ISA gave, but never more than 3e-5 and 6e-6. The weight gradient's:
    // winograd_weight_grad_test.
    const auto layer = GENERATE(StatedLayer{2, 24, 16, {7.9e-6, 5.2e-7}, {4e-7, 7.4e-8}},
                                StatedLayer{1, 14, 24, {1.1e-5, 6.6e-7}, {4.8e-7, 1e-7}},
                                StatedLayer{1, 24, 32, {1.2e-5, 6.9e-7}, {6.4e-7, 1e-7}},
                                StatedLayer{1, 16, 64, {1.8e-5, 9.5e-7}, {7.1e-7, 1.4e-7}},
                                StatedLayer{1, 12, 128, {1.8e-5, 1.1e-6}, {1.1e-6, 1.7e-7}},
                                StatedLayer{2, 6, 256, {2.6e-5, 1.3e-6}, {1.2e-6, 2.2e-7}},
                                StatedLayer{1, 5, 512, {3e-5, 1.9e-6}, {1.8e-6, 3e-7}},
                                StatedLayer{4, 7, 512, {3e-5, 1.9e-6}, {1.8e-6, 3e-7}});
    const TestTensor src = random_tensor(layer.map(), 1), weights = random_tensor(layer.weights(), 2);
    const ExactConvolution exact{kSame3x3, layer.map(), layer.map()};
    for (const bool gradient : {false, true}) {
        const std::string_view op = gradient ? "conv2d_input_grad" : "conv2d";
        const std::vector<double> want = exact.result(src.values, weights.values, gradient);
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
                const StatedError& stated = two ? layer.small_tiles : layer.large_tiles;
                (two ? small : large) = std::max(two ? small : large, error.largest);
                INFO(kernel.name << " on " << name_of(isa) << " over " << layer.map() << ": " << error.largest
                                 << ", rms " << error.rms);
                CHECK(error.largest <= stated.largest);
                CHECK(error.rms <= stated.rms);
                ++measured;
            }
            CHECK(small < large);
        }
        // F(4x4) in both orders of its loops, and F(2x2).
        CHECK(measured == 3 * static_cast<int>(available_isas().size()));
    }
}

TEST_CASE("So are the errors of Winograd's kernels behind upsampled maps") {
    struct Upsampled {
        int64_t size, channels;  ///< of the small map
        StatedError dst, diff_src, diff_weights;
    };
    // Twice what the worst ISA gave. `dst` is the strided convolution's, the gradient behind the upsampled map, and
    // `diff_src` the upsampling convolution's own result.
    const auto layer = GENERATE(Upsampled{24, 16, {6e-7, 7.2e-8}, {5.4e-7, 5e-8}, {1.9e-6, 3.5e-7}},
                                Upsampled{14, 24, {3.8e-7, 7.2e-8}, {4.9e-7, 7.1e-8}, {9.8e-7, 2.1e-7}},
                                Upsampled{16, 64, {7.6e-7, 1.1e-7}, {8e-7, 8.7e-8}, {1.4e-6, 1.9e-7}},
                                Upsampled{12, 128, {1.1e-6, 1.6e-7}, {1.3e-6, 1.4e-7}, {1.5e-6, 1.6e-7}},
                                Upsampled{6, 256, {1.7e-6, 2.1e-7}, {1.7e-6, 2e-7}, {7e-7, 7.1e-8}},
                                Upsampled{4, 512, {1.5e-6, 2.5e-7}, {2e-6, 3e-7}, {5.7e-7, 4.5e-8}});
    const Shape small{1, layer.size, layer.size, layer.channels},
        large{1, 2 * layer.size, 2 * layer.size, layer.channels};
    const ExactConvolution exact{kUpsampled, large, small};
    const TestTensor src = random_tensor(large, 1), diff = random_tensor(small, 3);
    const TestTensor weights = weights_of_upsampled(layer.channels);
    const auto check = [&](std::string_view op, const TestTensor& first, const TestTensor& second, const Shape& shape,
                           const std::vector<double>& want, const StatedError& stated) {
        Problem problem = problem_of(op, first.shape, second.shape, shape);
        problem.attributes = &kUpsampled;
        int measured = 0;
        for (const KernelInfo& kernel : registry()) {
            if (kernel.op != op || kernel.isa > available_isas().back()) continue;
            if (kernel.name.find("winograd") == std::string_view::npos || !kernel.refuse(problem).empty()) continue;
            TestTensor got = empty_tensor(shape);
            run_step(*kernel.make(problem, kernel.isa), {&first, &second}, {&got});
            const bool sums = op == "conv2d_weight_grad";
            const StatedError error = error_of(sums ? sums_over_neighbours(got.values) : got.values, want);
            INFO(kernel.name << " on " << name_of(kernel.isa) << " over " << first.shape << ": " << error.largest
                             << ", rms " << error.rms);
            CHECK(error.largest <= stated.largest);
            CHECK(error.rms <= stated.rms);
            ++measured;
        }
        CHECK(measured == static_cast<int>(available_isas().size()));
    };
    check("conv2d", src, weights, small, exact.result(src.values, weights.values, false), layer.dst);
    check("conv2d_input_grad", diff, weights, large, exact.result(diff.values, weights.values, true), layer.diff_src);
    check("conv2d_weight_grad", src, diff, weights.shape,
          sums_over_neighbours(exact.weight_grad(src.values, diff.values)), layer.diff_weights);
}

TEST_CASE("Winograd's small tile is expected to be faster for maps of at most two rows and columns only") {
    for (const std::string_view op : {"conv2d", "conv2d_input_grad", "conv2d_weight_grad"})
        for (const int64_t channels : {16, 64, 256}) {
            INFO(op << " of " << channels << " channels");
            for (const int64_t size : {3, 4, 7, 14, 28, 56})
                CHECK(estimated_best(op, 64, size, size, channels).find("2x2") == std::string::npos);
            CHECK(estimated_best(op, 64, 2, 2, channels).find("2x2") != std::string::npos);
        }
}
