#include "liven/ops/gru.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/reduce.hpp"

namespace liven {
namespace {

/// The columns of one gate: 0 z, 1 r, 2 n.
Tensor gate(const Tensor& x, int which) {
    const int64_t units = x.shape()[-1] / 3;
    return slice(x, {.begin = which * units, .count = units});
}
Tensor update_and_reset(const Tensor& x) { return slice(x, {.count = x.shape()[-1] / 3 * 2}); }

Tensor step_of(const Tensor& sequence, int64_t t) {
    const Shape& shape = sequence.shape();
    return reshape(slice(sequence, {.axis = 1, .begin = t, .count = 1}), Shape{shape[0], shape[2]});
}

/// Tensors N x W side by side as N x T x W.
Tensor sequence_of(const TensorList& steps) {
    TensorList rows;
    for (const Tensor& step : steps) rows.push_back(reshape(step, Shape{step.shape()[0], 1, step.shape()[1]}));
    return concat(rows, {.axis = 1});
}

/// N x T x W -> N*T x W.
Tensor rows_of(const Tensor& sequence) {
    const Shape& shape = sequence.shape();
    return reshape(sequence, Shape{shape[0] * shape[1], shape[2]});
}

/// The gates of every step, and what they were made from.
struct Unrolled {
    TensorList before;     ///< h
    TensorList update;     ///< z
    TensorList reset;      ///< r
    TensorList candidate;  ///< n
    TensorList recurrent;  ///< reset_after: h U_n + c_n; else r * h
    TensorList after;      ///< h'
};

Unrolled unroll(const TensorList& in, bool reset_after) {
    const Tensor &x = in[0], &kernel = in[2], &recurrent = in[3], &bias = in[4];
    const int64_t samples = x.shape()[0], steps = x.shape()[1], width = kernel.shape()[1];
    const int64_t units = width / 3;
    // A row holds the gates of all steps: one step's gate is a slice of channels, which is read where it lies.
    const Tensor projected = reshape(matmul(rows_of(x), kernel) + bias, Shape{samples, steps * width});
    Unrolled u;
    Tensor h = in[1];
    for (int64_t t = 0; t < steps; ++t) {
        const auto projection = [&](int64_t first, int64_t gates) {
            return slice(projected, {.begin = t * width + first * units, .count = gates * units});
        };
        Tensor z, r, n, inner;
        if (reset_after) {
            const Tensor q = matmul(h, recurrent) + in[5];
            z = sigmoid(projection(0, 1) + gate(q, 0));
            r = sigmoid(projection(1, 1) + gate(q, 1));
            inner = gate(q, 2);
            n = tanh(projection(2, 1) + r * inner);
        } else {
            const Tensor q = matmul(h, update_and_reset(recurrent)) + projection(0, 2);
            z = sigmoid(slice(q, {.begin = 0, .count = units}));
            r = sigmoid(slice(q, {.begin = units, .count = units}));
            inner = r * h;
            n = tanh(projection(2, 1) + matmul(inner, gate(recurrent, 2)));
        }
        u.before.push_back(h);
        u.update.push_back(z);
        u.reset.push_back(r);
        u.candidate.push_back(n);
        u.recurrent.push_back(inner);
        h = n + z * (h - n);
        u.after.push_back(h);
    }
    return u;
}

Tensor sigmoid_slope(const Tensor& y) { return y - square(y); }
Tensor tanh_slope(const Tensor& y) { return shift(-square(y), 1.0f); }

/// Back through time: the gradients that arrive at the gates' arguments, step by step.
struct Backward {
    TensorList at_projection;  ///< N x 3U, of x W + b
    TensorList at_recurrent;   ///< N x 3U, of h U + c; without reset_after the last third is for (r h) U_n
    Tensor at_first;           ///< N x U, of the initial state
};

Backward sweep(const Vjp& v, const Unrolled& u, const Tensor& recurrent, bool reset_after) {
    const size_t steps = u.after.size();
    TensorList projection, recurrence;
    Tensor carry;
    if (v.has_gradient(1)) carry = v.gradient(1);
    for (size_t i = 0; i < steps; ++i) {
        const size_t t = steps - 1 - i;
        const Tensor &h = u.before[t], &z = u.update[t], &r = u.reset[t], &n = u.candidate[t], &inner = u.recurrent[t];
        Tensor dh = carry;
        if (v.has_gradient(0)) {
            const Tensor mine = step_of(v.gradient(0), static_cast<int64_t>(t));
            dh = dh.defined() ? dh + mine : mine;
        }
        const Tensor dn = dh * shift(-z, 1.0f) * tanh_slope(n);
        const Tensor dz = dh * (h - n) * sigmoid_slope(z);
        if (reset_after) {
            const Tensor dr = dn * inner * sigmoid_slope(r);
            projection.push_back(concat({dz, dr, dn}));
            recurrence.push_back(concat({dz, dr, dn * r}));
            carry = dh * z + matmul(recurrence.back(), recurrent, {.transpose_b = true});
        } else {
            const Tensor at_inner = matmul(dn, gate(recurrent, 2), {.transpose_b = true});
            const Tensor dr = at_inner * h * sigmoid_slope(r);
            projection.push_back(concat({dz, dr, dn}));
            recurrence.push_back(projection.back());
            carry =
                dh * z + at_inner * r + matmul(concat({dz, dr}), update_and_reset(recurrent), {.transpose_b = true});
        }
    }
    Backward b;
    for (size_t i = 0; i < steps; ++i) {
        b.at_projection.push_back(projection[steps - 1 - i]);
        b.at_recurrent.push_back(recurrence[steps - 1 - i]);
    }
    b.at_first = carry;
    return b;
}

Tensor recurrent_gradient(const Unrolled& u, const Tensor& at_recurrent, bool reset_after) {
    const Tensor before = rows_of(sequence_of(u.before));
    if (reset_after) return matmul(before, at_recurrent, {.transpose_a = true});
    const Tensor first = matmul(before, update_and_reset(at_recurrent), {.transpose_a = true});
    const Tensor last = matmul(rows_of(sequence_of(u.recurrent)), gate(at_recurrent, 2), {.transpose_a = true});
    return concat({first, last});
}

void require(bool holds, const char* what, InputTypes in) {
    if (holds) return;
    throw Error("gru", std::string(what) + ", got x " + in[0]->shape.str() + ", h " + in[1]->shape.str() + ", kernel " +
                           in[2]->shape.str() + ", recurrent_kernel " + in[3]->shape.str() + ", bias " +
                           in[4]->shape.str());
}

/// Rows of the gates r, z, n -> columns z, r, n; rank 1 or 2.
Tensor columns_from_rows(const Tensor& rows) {
    const int64_t units = rows.shape()[0] / 3;
    const auto part = [&](int64_t which) { return slice(rows, {.axis = 0, .begin = which * units, .count = units}); };
    const Tensor ordered = concat({part(1), part(0), part(2)}, {.axis = 0});
    return rows.rank() == 2 ? transpose(ordered) : ordered;
}

}  // namespace

GruResult gru(const Tensor& x, const Tensor& h, const GruWeights& weights, const GruOptions& options) {
    if (options.reset_after != weights.recurrent_bias.defined())
        throw Error("gru", options.reset_after ? "reset_after needs a recurrent_bias"
                                               : "without reset_after there is no recurrent_bias");
    TensorList in{x, h, weights.kernel, weights.recurrent_kernel, weights.bias};
    if (options.reset_after) in.push_back(weights.recurrent_bias);
    const NodePtr node = record(ops::Gru{.reset_after = options.reset_after}, in);
    return {.states = result(node, 0), .last = result(node, 1)};
}

GruWeights gru_from_keras(const Tensor& kernel, const Tensor& recurrent_kernel, const Tensor& bias) {
    if (bias.rank() == 1)
        return {.kernel = kernel, .recurrent_kernel = recurrent_kernel, .bias = bias, .recurrent_bias = {}};
    if (bias.rank() != 2 || bias.shape()[0] != 2)
        throw Error("gru_from_keras", "expected a bias of 2 x 3U or 3U, got " + bias.shape().str());
    const Shape width{bias.shape()[1]};
    return {.kernel = kernel,
            .recurrent_kernel = recurrent_kernel,
            .bias = reshape(slice(bias, {.axis = 0, .begin = 0}), width),
            .recurrent_bias = reshape(slice(bias, {.axis = 0, .begin = 1}), width)};
}

GruWeights gru_from_pytorch(const Tensor& weight_ih, const Tensor& weight_hh, const Tensor& bias_ih,
                            const Tensor& bias_hh) {
    return {.kernel = columns_from_rows(weight_ih),
            .recurrent_kernel = columns_from_rows(weight_hh),
            .bias = columns_from_rows(bias_ih),
            .recurrent_bias = columns_from_rows(bias_hh)};
}

namespace ops {

void Gru::infer(InputTypes in, OutputTypes& out) const {
    const Shape &x = in[0]->shape, &h = in[1]->shape, &kernel = in[2]->shape, &recurrent = in[3]->shape;
    require(x.rank() == 3 && h.rank() == 2 && kernel.rank() == 2 && recurrent.rank() == 2,
            "expected x N x T x I, h N x U and matrices", in);
    const int64_t units = h[1];
    require(x[1] > 0, "expected at least one step", in);
    require(x[0] == h[0], "x and h differ in their number of samples", in);
    require(kernel == Shape{x[2], 3 * units}, "expected a kernel of I x 3U", in);
    require(recurrent == Shape{units, 3 * units}, "expected a recurrent_kernel of U x 3U", in);
    for (size_t i = 4; i < in.size(); ++i) require(in[i]->shape == Shape{3 * units}, "expected biases of 3U", in);
    out.push_back({.shape = {x[0], x[1], units}});
    out.push_back({.shape = h});
}

TensorList Gru::decompose(const TensorList& in) const {
    const Unrolled u = unroll(in, reset_after);
    return {sequence_of(u.after), u.after.back()};
}

void Gru::vjp(Vjp& v) const {
    TensorList in;
    for (size_t i = 0; i < v.input_count(); ++i) in.push_back(v.input(i));
    // The same operations on the same operands as decompose() records: simplify shares them with the forward pass.
    const Unrolled u = unroll(in, reset_after);
    const Backward b = sweep(v, u, in[3], reset_after);
    const Tensor at_projection = sequence_of(b.at_projection);
    const Tensor projection_rows = rows_of(at_projection), recurrent_rows = rows_of(sequence_of(b.at_recurrent));
    if (v.wants(0)) v.contribute(0, reshape(matmul(projection_rows, in[2], {.transpose_b = true}), in[0].shape()));
    if (v.wants(1)) v.contribute(1, b.at_first);
    if (v.wants(2)) v.contribute(2, matmul(rows_of(in[0]), projection_rows, {.transpose_a = true}));
    if (v.wants(3)) v.contribute(3, recurrent_gradient(u, recurrent_rows, reset_after));
    if (v.wants(4)) v.contribute(4, sum_to(projection_rows, in[4].shape()));
    if (reset_after && v.wants(5)) v.contribute(5, sum_to(recurrent_rows, in[5].shape()));
}

Cost Gru::cost(InputTypes in, InputTypes out) const {
    Cost cost = detail::default_cost(in, out);
    const Shape& x = in[0]->shape;
    const auto rows = static_cast<double>(x[0] * x[1]), units = static_cast<double>(in[1]->shape[1]);
    cost.flops = rows * (6.0 * units * (static_cast<double>(x[2]) + units) + 13.0 * units);
    return cost;
}

}  // namespace ops
}  // namespace liven
