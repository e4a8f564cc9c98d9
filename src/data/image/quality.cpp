#include "liven/data/quality.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "liven/core/error.hpp"
#include "src/data/image/opencv.hpp"

namespace liven::data {
namespace {

/// Sums over all pixels. Those of whole numbers are exact within a part of a row, so nothing depends on their order.
struct EdgeSums {
    double pixels = 0, grey = 0, grey2 = 0, laplacian = 0, laplacian2 = 0, sobel = 0, energy = 0, energy2 = 0;
};

/// The three rows that the differences of one row need, with a mirrored pixel at both ends of each.
class GreyRows {
public:
    explicit GreyRows(const cv::Mat& grey) : grey_(grey) {
        for (auto& row : rows_) row.resize(static_cast<size_t>(grey.cols) + 2);
        fill(-1);
        fill(0);
    }
    /// To the row `y`; rows are asked for in order from 0.
    void move_to(int y) { fill(y + 1); }
    const int16_t* row(int y) const { return rows_[static_cast<size_t>(y + 3) % 3].data(); }

private:
    int mirrored(int y) const {
        if (grey_.rows == 1) return 0;
        return y < 0 ? -y : y >= grey_.rows ? 2 * grey_.rows - 2 - y : y;
    }
    void fill(int y) {
        const uint8_t* src = grey_.ptr(mirrored(y));
        std::vector<int16_t>& dst = rows_[static_cast<size_t>(y + 3) % 3];
        const int width = grey_.cols;
        std::copy(src, src + width, dst.begin() + 1);
        dst.front() = src[width > 1 ? 1 : 0];
        dst.back() = src[width > 1 ? width - 2 : 0];
    }

    const cv::Mat& grey_;
    std::vector<int16_t> rows_[3];
};

/// So many pixels that 32 bits hold the sums of their squared Laplacians (at most 1020^2 each) and 64 those of energies
/// (at most (2 * 1020^2)^2).
constexpr int kPart = 2048;

/// The part [from, to) of a row; `a`, `b`, `c` are the rows above, at and below it, one pixel to the left.
void add_part(const int16_t* a, const int16_t* b, const int16_t* c, int from, int to, EdgeSums& sums) {
    int32_t energy[kPart];
    float magnitude[kPart];
    uint32_t grey = 0, grey2 = 0, laplacian2 = 0;
    int32_t laplacian = 0;
    for (int x = from; x < to; ++x) {
        const int32_t l = b[x] + b[x + 2] + a[x + 1] + c[x + 1] - 4 * b[x + 1];
        const int32_t sx = a[x + 2] - a[x] + 2 * (b[x + 2] - b[x]) + c[x + 2] - c[x];
        const int32_t sy = c[x] + 2 * c[x + 1] + c[x + 2] - a[x] - 2 * a[x + 1] - a[x + 2];
        const int32_t g = b[x + 1];
        energy[x - from] = sx * sx + sy * sy;
        grey += static_cast<uint32_t>(g);
        grey2 += static_cast<uint32_t>(g * g);
        laplacian += l;
        laplacian2 += static_cast<uint32_t>(l * l);
    }
    uint64_t energy1 = 0, energy2 = 0;
    for (int i = 0; i < to - from; ++i) {
        const auto e = static_cast<uint32_t>(energy[i]);
        magnitude[i] = static_cast<float>(energy[i]);
        energy1 += e;
        energy2 += static_cast<uint64_t>(e) * e;
    }
    cv::Mat roots(1, to - from, CV_32FC1, magnitude);
    cv::sqrt(roots, roots);
    double sobel = 0;
    for (int i = 0; i < to - from; ++i) sobel += static_cast<double>(magnitude[i]);
    sums.pixels += to - from;
    sums.grey += grey;
    sums.grey2 += grey2;
    sums.laplacian += laplacian;
    sums.laplacian2 += laplacian2;
    sums.sobel += sobel;
    sums.energy += static_cast<double>(energy1);
    sums.energy2 += static_cast<double>(energy2);
}

EdgeSums sums_of(const cv::Mat& grey) {
    EdgeSums sums;
    GreyRows rows(grey);
    for (int y = 0; y < grey.rows; ++y) {
        rows.move_to(y);
        for (int x = 0; x < grey.cols; x += kPart)
            add_part(rows.row(y - 1), rows.row(y), rows.row(y + 1), x, std::min(grey.cols, x + kPart), sums);
    }
    return sums;
}

double variance(double sum, double sum2, double count) {
    return std::max(0.0, sum2 / count - (sum / count) * (sum / count));
}

}  // namespace

double Quality::total() const { return 0.35 * sharpness + 0.25 * contrast + 0.20 * brightness + 0.20 * blur; }

bool Quality::passes_gates() const { return mean >= 40 && mean <= 220 && deviation > 15 && edges > 80; }

Quality quality_of(const Image& image) {
    if (image.empty()) throw Error("quality", "the picture is empty");
    const EdgeSums s = guarded("quality", [&] {
        cv::Mat grey;
        cv::cvtColor(view(image), grey, cv::COLOR_RGB2GRAY);
        return sums_of(grey);
    });
    const double laplacian = variance(s.laplacian, s.laplacian2, s.pixels);
    Quality q;
    q.mean = s.grey / s.pixels;
    q.deviation = std::sqrt(variance(s.grey, s.grey2, s.pixels));
    q.edges = (0.6 * laplacian + 0.4 * variance(s.energy, s.energy2, s.pixels)) / 1000;
    q.sharpness = std::min(1.0, (0.7 * laplacian + 0.3 * s.sobel / s.pixels) / 100);
    q.contrast = std::min(1.0, q.deviation / 50);
    q.brightness = 1 - std::abs(q.mean - 128) / 128;
    q.blur = std::min(1.0, q.edges / 100);
    return q;
}

}  // namespace liven::data
