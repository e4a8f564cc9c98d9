#pragma once

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"

namespace liven {

/// e^x / sum e^x over the last axis, shifted by the maximum: no overflow.
Tensor softmax(const Tensor& x);
/// x - ln sum e^x over the last axis.
Tensor log_softmax(const Tensor& x);
/// N class indices (i32) -> N x classes of 0 and 1; an index outside gives a row of zeros.
Tensor one_hot(const Tensor& labels, int64_t classes);

namespace ops {

struct LogSoftmax : Unary {
    static constexpr bool pointwise = false;
    static constexpr OperationDoc doc{.name = "log_softmax",
                                      .category = "activation",
                                      .summary = "logarithm of softmax over the last axis",
                                      .formula = "y = x - ln sum e^x"};
    void vjp(Vjp& v) const {
        const Tensor dy = v.gradient();
        v.contribute(0, dy - exp(v.output()) * sum(dy, {.axes = {-1}, .keep_axes = true}));
    }
};
struct Softmax : Unary {
    static constexpr bool pointwise = false;
    static constexpr OperationDoc doc{.name = "softmax",
                                      .category = "activation",
                                      .summary = "probabilities over the last axis",
                                      .formula = "y = e^x / sum e^x"};
    void vjp(Vjp& v) const {
        const Tensor weighted = v.gradient() * v.output();
        v.contribute(0, weighted - v.output() * sum(weighted, {.axes = {-1}, .keep_axes = true}));
    }
};
struct OneHot {
    int64_t classes = 0;
    static constexpr OperationDoc doc{.name = "one_hot",
                                      .category = "source",
                                      .summary = "class indices as rows of 0 and 1",
                                      .formula = "y[n, c] = labels[n] == c"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("classes", classes); }
    void vjp(Vjp&) const {}
};

}  // namespace ops

inline Tensor softmax(const Tensor& x) { return apply(ops::Softmax{}, {x}); }
inline Tensor log_softmax(const Tensor& x) { return apply(ops::LogSoftmax{}, {x}); }
inline Tensor one_hot(const Tensor& labels, int64_t classes) {
    return apply(ops::OneHot{.classes = classes}, {labels});
}

}  // namespace liven
