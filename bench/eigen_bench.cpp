// Eigen over the operations of the models: matrix products; convolutions as one makes them with it (copy the windows
// into a matrix, multiply), sample by sample; the tensor module's contraction of extracted patches, forward. Compiled
// for this very machine, which Liven is not.
#include <omp.h>

#include <Eigen/Dense>
#include <algorithm>
#include <memory>
#include <unsupported/Eigen/CXX11/Tensor>
#include <unsupported/Eigen/CXX11/ThreadPool>

#include "bench/probe.hpp"
#include "bench/support/product.hpp"
#include "bench/support/session.hpp"
#include "liven/core/buffer.hpp"

namespace {

using namespace liven;
using namespace liven::bench;

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<Matrix>;

Map map(const Buffer& buffer, int64_t rows, int64_t columns, int64_t offset = 0) {
    return {buffer.as<float>() + offset, rows, columns};
}

/// Windows of one sample as rows of a matrix, and back.
class Windows {
public:
    explicit Windows(const Convolution& c) : c_(c), columns_(static_cast<size_t>(pixels() * taps()) * sizeof(float)) {}

    int64_t pixels() const { return c_.dst[1] * c_.dst[2]; }
    int64_t taps() const { return c_.weights[0] * c_.weights[1] * c_.weights[2]; }
    Map matrix() const { return map(columns_, pixels(), taps()); }

    void gather(const float* src) {
        each([&](float* window, int64_t at) {
            if (at < 0)
                std::fill_n(window, c_.src[3], 0.0f);
            else
                std::copy_n(src + at * c_.src[3], c_.src[3], window);
        });
    }
    void scatter(float* src) {
        std::fill_n(src, c_.src[1] * c_.src[2] * c_.src[3], 0.0f);
        each([&](const float* window, int64_t at) {
            if (at < 0) return;
            for (int64_t i = 0; i < c_.src[3]; ++i) src[at * c_.src[3] + i] += window[i];
        });
    }

private:
    /// visit(channels of one tap of one window, pixel of the image or -1).
    template <class Visit>
    void each(const Visit& visit) {
        const Window2d& w = c_.window;
        float* window = columns_.as<float>();
        for (int64_t y = 0; y < c_.dst[1]; ++y)
            for (int64_t x = 0; x < c_.dst[2]; ++x)
                for (int64_t i = 0; i < w.kernel.h; ++i)
                    for (int64_t j = 0; j < w.kernel.w; ++j, window += c_.src[3]) {
                        const int64_t row = y * w.stride.h - w.padding.top + i * w.dilation.h,
                                      column = x * w.stride.w - w.padding.left + j * w.dilation.w;
                        const bool inside = row >= 0 && row < c_.src[1] && column >= 0 && column < c_.src[2];
                        visit(window, inside ? row * c_.src[2] + column : -1);
                    }
    }

    Convolution c_;
    Buffer columns_;
};

/// One convolution: windows, matrices, and the product of its direction, a sample at a time.
class Conv2d {
public:
    explicit Conv2d(const ShapeLine& line)
        : op_(line.op),
          c_(convolution_of(line)),
          windows_(c_),
          src_(filled(c_.src.count())),
          weights_(filled(c_.weights.count())),
          dst_(filled(c_.dst.count())) {}

    void run() {
        if (op_ == "conv2d_weight_grad") weights().setZero();
        for (int64_t n = 0; n < c_.src[0]; ++n) {
            float* src = src_.as<float>() + n * (c_.src.count() / c_.src[0]);
            Map dst = map(dst_, windows_.pixels(), c_.dst[3], n * windows_.pixels() * c_.dst[3]);
            if (op_ == "conv2d_input_grad") {
                windows_.matrix().noalias() = dst * weights().transpose();
                windows_.scatter(src);
                continue;
            }
            windows_.gather(src);
            if (op_ == "conv2d")
                dst.noalias() = windows_.matrix() * weights();
            else
                weights().noalias() += windows_.matrix().transpose() * dst;
        }
    }

private:
    Map weights() const { return map(weights_, windows_.taps(), c_.dst[3]); }

    std::string op_;
    Convolution c_;
    Windows windows_;
    Buffer src_, weights_, dst_;
};

/// Forward with the tensor module. Its tensors are column-major here: C x W x H x N.
class TensorConv2d {
public:
    TensorConv2d(const ShapeLine& line, int threads)
        : c_(convolution_of(line)),
          pool_(threads),
          device_(&pool_, threads),
          src_(c_.src[3], c_.src[2], c_.src[1], c_.src[0]),
          weights_(c_.dst[3], taps()),
          dst_(c_.dst[3], c_.dst[2] * c_.dst[1] * c_.dst[0]) {
        src_.setRandom();
        weights_.setRandom();
    }

    void run() {
        const Window2d& w = c_.window;
        const Eigen::array<Eigen::IndexPair<Eigen::Index>, 1> over{Eigen::IndexPair<Eigen::Index>(1, 0)};
        const Eigen::array<Eigen::Index, 2> matrix{taps(), c_.dst[2] * c_.dst[1] * c_.dst[0]};
        // Column-major patches take columns before rows.
        dst_.device(device_) = weights_.contract(
            src_.extract_image_patches(w.kernel.w, w.kernel.h, w.stride.w, w.stride.h, 1, 1, 1, 1, w.padding.left,
                                       w.padding.right, w.padding.top, w.padding.bottom, 0.0f)
                .reshape(matrix),
            over);
    }

private:
    Eigen::Index taps() const { return c_.weights[0] * c_.weights[1] * c_.weights[2]; }

    Convolution c_;
    Eigen::ThreadPool pool_;
    Eigen::ThreadPoolDevice device_;
    Eigen::Tensor<float, 4> src_;
    Eigen::Tensor<float, 2> weights_, dst_;
};

struct Gemm {
    explicit Gemm(const Product& product) : p(product) {}
    Product p;
    Buffer a = filled(p.m * p.k), b = filled(p.k * p.n), dst = filled(p.m * p.n);

    void run() const {
        const Map left = p.transpose_a ? map(a, p.k, p.m) : map(a, p.m, p.k),
                  right = p.transpose_b ? map(b, p.n, p.k) : map(b, p.k, p.n);
        Map result = map(dst, p.m, p.n);
        if (p.transpose_a)
            result.noalias() = left.transpose() * right;
        else if (p.transpose_b)
            result.noalias() = left * right.transpose();
        else
            result.noalias() = left * right;
    }
};

/// Job is made of the arguments when its turn comes.
template <class Job, class... Arguments>
void add(Session& session, const char* kernel, const Shapes& model, const ShapeLine& line, int threads,
         const Arguments&... arguments) {
    const Entry entry{.engine = "eigen", .kernel = kernel, .model = model.model, .line = &line, .direct = true};
    session.add(entry, threads, available_isas().back(), [=, &line](Stopwatch&) {
        omp_set_num_threads(threads);
        return made(line, std::make_shared<Job>(arguments...));
    });
}

void add_line(Session& session, const Shapes& model, const ShapeLine& line, int threads) {
    if (const auto product = product_of(line); product && line.is_matmul())
        add<Gemm>(session, "eigen_gemm", model, line, threads, *product);
    if (!line.is_conv2d() || convolution_of(line).groups != 1) return;
    add<Conv2d>(session, "eigen_im2col_gemm", model, line, threads, line);
    if (line.op == "conv2d") add<TensorConv2d>(session, "eigen_tensor_patches", model, line, threads, line, threads);
}

}  // namespace

int main(int argc, char** argv) { return run_lines("eigen_bench", argc, argv, add_line); }
