// OpenBLAS over the matrix products of the models, and over their 1x1 convolutions of stride 1, which are such.
#include <cblas.h>

#include <memory>
#include <optional>

#include "bench/probe.hpp"
#include "bench/support/product.hpp"
#include "bench/support/session.hpp"
#include "liven/core/buffer.hpp"

namespace {

using namespace liven;
using namespace liven::bench;

struct Gemm {
    explicit Gemm(const Product& product) : p(product) {}
    Product p;
    Buffer a = filled(p.m * p.k), b = filled(p.k * p.n), dst = filled(p.m * p.n);

    void run() const {
        const auto m = static_cast<blasint>(p.m), n = static_cast<blasint>(p.n), k = static_cast<blasint>(p.k);
        cblas_sgemm(CblasRowMajor, p.transpose_a ? CblasTrans : CblasNoTrans, p.transpose_b ? CblasTrans : CblasNoTrans,
                    m, n, k, 1.0f, a.as<float>(), p.transpose_a ? m : k, b.as<float>(), p.transpose_b ? k : n, 0.0f,
                    dst.as<float>(), n);
    }
};

void add_line(Session& session, const Shapes& model, const ShapeLine& line, int threads) {
    const std::optional<Product> product = product_of(line);
    if (!product) return;
    const Entry entry{
        .engine = "openblas", .kernel = "openblas_sgemm", .model = model.model, .line = &line, .direct = true};
    session.add(entry, threads, available_isas().back(), [&line, p = *product, threads](Stopwatch&) {
        openblas_set_num_threads(threads);
        return made(line, std::make_shared<Gemm>(p));
    });
}

}  // namespace

int main(int argc, char** argv) { return run_lines("openblas_bench", argc, argv, add_line); }
