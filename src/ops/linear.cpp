#include "liven/ops/linear.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"

namespace liven {
namespace {

int64_t rows(const Shape& shape, bool transposed) { return shape[transposed ? -1 : -2]; }
int64_t columns(const Shape& shape, bool transposed) { return shape[transposed ? -2 : -1]; }

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options) {
    ops::Matmul op;
    op.transpose_a = options.transpose_a;
    op.transpose_b = options.transpose_b;
    return apply(op, {a, b});
}

Tensor dense(const Tensor& x, const Tensor& weights, const Tensor& bias) { return matmul(x, weights) + bias; }

namespace ops {

void Matmul::infer(InputTypes in, OutputTypes& out) const {
    const Shape &a = in[0]->shape, &b = in[1]->shape;
    const auto both = [&] {
        return a.str() + (transpose_a ? " transposed" : "") + " and " + b.str() + (transpose_b ? " transposed" : "");
    };
    if (a.rank() < 2 || b.rank() < 2) throw Error("matmul", "operands need rank 2 or more, got " + both());
    if (columns(a, transpose_a) != rows(b, transpose_b))
        throw Error("matmul", "inner extents " + std::to_string(columns(a, transpose_a)) + " and " +
                                  std::to_string(rows(b, transpose_b)) + " differ for " + both());
    Shape shape = a;
    if (b.rank() > 2) {
        bool batches_agree = b.rank() == a.rank();
        for (int axis = 0; batches_agree && axis + 2 < a.rank(); ++axis) batches_agree = a[axis] == b[axis];
        if (!batches_agree) throw Error("matmul", "leading axes differ for " + both());
    }
    shape.set(-2, rows(a, transpose_a));
    shape.set(-1, columns(b, transpose_b));
    out.push_back({.shape = shape});
}

void Matmul::vjp(Vjp& v) const {
    const Tensor a = v.input(0), b = v.input(1), g = v.gradient();
    const bool shared = b.rank() < a.rank();  // one b for the whole batch can only stand on the right
    if (v.wants(0)) {
        if (transpose_a && !shared)
            v.contribute(0, matmul(b, g, {.transpose_a = transpose_b, .transpose_b = true}));
        else
            v.contribute(0, transpose_a ? transpose(matmul(g, b, {.transpose_b = !transpose_b}))
                                        : matmul(g, b, {.transpose_b = !transpose_b}));
    }
    if (!v.wants(1)) return;
    const Tensor per_matrix = transpose_b ? matmul(g, a, {.transpose_a = true, .transpose_b = transpose_a})
                                          : matmul(a, g, {.transpose_a = !transpose_a});
    v.contribute(1, sum_to(per_matrix, b.shape()));
}

Cost Matmul::cost(InputTypes in, InputTypes out) const {
    Cost cost = detail::default_cost(in, out);
    cost.flops =
        2.0 * static_cast<double>(out[0]->shape.count()) * static_cast<double>(columns(in[0]->shape, transpose_a));
    return cost;
}

void ProductNorm::infer(InputTypes in, OutputTypes& out) const {
    const Shape &a = in[0]->shape, &b = in[1]->shape;
    if (a.rank() != 2 || b.rank() != 2 || a[0] != b[0])
        throw Error("product_norm", "expected K x M and K x N, got " + a.str() + " and " + b.str());
    out.push_back({.shape = {}});
}

void ProductNorm::vjp(Vjp& v) const {
    const Tensor a = v.input(0), b = v.input(1);
    const Tensor product = scale(matmul(a, b, {.transpose_a = true}), 2.0f) * v.gradient();
    if (v.wants(0)) v.contribute(0, matmul(b, product, {.transpose_b = true}));
    if (v.wants(1)) v.contribute(1, matmul(a, product));
}

Cost ProductNorm::cost(InputTypes in, InputTypes out) const {
    Cost cost = detail::default_cost(in, out);
    const Shape &a = in[0]->shape, &b = in[1]->shape;
    cost.flops = static_cast<double>(a[0] * (a[0] + 1)) * static_cast<double>(a[1] + b[1]);
    return cost;
}

}  // namespace ops
}  // namespace liven
