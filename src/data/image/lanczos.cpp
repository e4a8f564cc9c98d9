#include "src/data/image/lanczos.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core/hal/intrin.hpp>
#include <vector>

// Columns first: what is left are the rows of the result, and a tap of theirs is one multiplication of whole vectors.
// Each such row is split into its channels, where the eight taps of a pixel lie side by side: one dot product.
namespace liven::data {
namespace {

constexpr int kTaps = 8;
constexpr int kWeightBits = 14;  ///< 1 is 16,384: a weight fits 16 bits
constexpr int kRowBits = 5;      ///< between the two ways; 255 times the largest sum of weights still fits 16 bits

/// For each pixel of the result, the first of eight places (it may lie outside) and their weights.
struct Window {
    int first = 0;
    std::array<int16_t, kTaps> weights{};
};

double sinc(double t) {
    const double x = 3.14159265358979323846 * t;
    return std::abs(x) < 1e-9 ? 1 : std::sin(x) / x;
}

Window window_at(double at) {
    Window w;
    w.first = static_cast<int>(std::floor(at)) - 3;
    std::array<double, kTaps> exact{};
    double sum = 0;
    for (int k = 0; k < kTaps; ++k) {
        const double t = at - (w.first + k);
        sum += exact[static_cast<size_t>(k)] = sinc(t) * sinc(t / 4);
    }
    int left = 1 << kWeightBits;
    for (size_t k = 0; k < kTaps; ++k) {
        w.weights[k] = static_cast<int16_t>(std::lround(exact[k] / sum * (1 << kWeightBits)));
        left -= w.weights[k];
    }
    // What rounding lost goes to the largest, so that an even surface stays what it is.
    int16_t& largest = *std::max_element(w.weights.begin(), w.weights.end());
    largest = static_cast<int16_t>(largest + left);
    return w;
}

std::vector<Window> windows_for(int length, int extent) {
    std::vector<Window> out(static_cast<size_t>(extent));
    for (int i = 0; i < extent; ++i) out[static_cast<size_t>(i)] = window_at((i + 0.5) * length / extent - 0.5);
    return out;
}

/// dst[i] = sum of weights[k] rows[k][i], with kRowBits after the point.
void sum_rows(const std::array<const uint8_t*, kTaps>& rows, const std::array<int16_t, kTaps>& weights, int count,
              int16_t* dst) {
    constexpr int shift = kWeightBits - kRowBits;
    int i = 0;
#if CV_SIMD128
    const cv::v_int32x4 half = cv::v_setall_s32(1 << (shift - 1));
    std::array<cv::v_int16x8, kTaps / 2> pairs;
    for (size_t k = 0; k < kTaps / 2; ++k) {
        const int16_t a = weights[2 * k], b = weights[2 * k + 1];
        pairs[k] = cv::v_int16x8(a, b, a, b, a, b, a, b);
    }
    for (; i + 8 <= count; i += 8) {
        cv::v_int32x4 low = half, high = half;
        for (size_t k = 0; k < kTaps / 2; ++k) {
            cv::v_int16x8 first, second;
            cv::v_zip(cv::v_reinterpret_as_s16(cv::v_load_expand(rows[2 * k] + i)),
                      cv::v_reinterpret_as_s16(cv::v_load_expand(rows[2 * k + 1] + i)), first, second);
            low = cv::v_dotprod(first, pairs[k], low);
            high = cv::v_dotprod(second, pairs[k], high);
        }
        cv::v_store(dst + i, cv::v_pack(low >> shift, high >> shift));
    }
#endif
    for (; i < count; ++i) {
        int32_t sum = 1 << (shift - 1);
        for (size_t k = 0; k < kTaps; ++k) sum += weights[k] * rows[k][i];
        dst[i] = static_cast<int16_t>(sum >> shift);
    }
}

int32_t dot(const int16_t* values, const std::array<int16_t, kTaps>& weights) {
#if CV_SIMD128
    return cv::v_reduce_sum(cv::v_dotprod(cv::v_load(values), cv::v_load(weights.data())));
#else
    int32_t sum = 0;
    for (size_t k = 0; k < kTaps; ++k) sum += values[k] * weights[k];
    return sum;
#endif
}

/// One channel of a row with its edge pixels repeated four times on both sides.
class ChannelRow {
public:
    explicit ChannelRow(int width) : width_(width), values_(static_cast<size_t>(width) + 8) {}
    void fill(const int16_t* pixels, int channel) {
        int16_t* v = values_.data() + 4;
        for (int x = 0; x < width_; ++x) v[x] = pixels[3 * x + channel];
        std::fill(values_.begin(), values_.begin() + 4, v[0]);
        std::fill(values_.end() - 4, values_.end(), v[width_ - 1]);
    }
    /// Of a pixel from -4 on.
    const int16_t* at(int x) const { return values_.data() + 4 + x; }

private:
    int width_;
    std::vector<int16_t> values_;
};

}  // namespace

Image lanczos(const Image& image, int width, int height) {
    Image out(width, height);
    const std::vector<Window> columns = windows_for(image.width, width), rows = windows_for(image.height, height);
    std::vector<int16_t> row(static_cast<size_t>(image.width) * 3);
    ChannelRow channel(image.width);
    constexpr int shift = kWeightBits + kRowBits;
    for (int y = 0; y < height; ++y) {
        const Window& window = rows[static_cast<size_t>(y)];
        std::array<const uint8_t*, kTaps> from{};
        for (int k = 0; k < kTaps; ++k)
            from[static_cast<size_t>(k)] = image.at(0, std::clamp(window.first + k, 0, image.height - 1));
        sum_rows(from, window.weights, image.width * 3, row.data());
        for (int c = 0; c < 3; ++c) {
            channel.fill(row.data(), c);
            uint8_t* dst = out.at(0, y) + c;
            for (int x = 0; x < width; ++x) {
                const Window& w = columns[static_cast<size_t>(x)];
                const int32_t sum = (1 << (shift - 1)) + dot(channel.at(w.first), w.weights);
                dst[3 * x] = static_cast<uint8_t>(std::clamp(sum >> shift, 0, 255));
            }
        }
    }
    return out;
}

}  // namespace liven::data
