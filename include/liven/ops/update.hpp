#pragma once

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"

/// The operations of which an optimiser's step consists: one node a parameter, opened into pointwise operations when
/// the plan is made and fused into one pass over memory.
namespace liven::ops {

/// loss, gradients... -> may the update happen (1 or 0), the factor of clipping by norm, the norm.
struct GradientGuard {
    float clip_norm = 0;
    static constexpr OperationDoc doc{
        .name = "gradient_guard",
        .category = "update",
        .summary = "whether loss and gradients are finite, the gradients' norm and the factor that clips it",
        .formula = "norm = sqrt(sum |g|^2); factor = min(1, clip / norm)",
        .source = "Pascanu et al. 2013"};
    void infer(InputTypes, OutputTypes& out) const {
        for (int i = 0; i < 3; ++i) out.push_back({.shape = {}});
    }
    void fields(FieldVisitor& visitor) const { visitor.field("clip_norm", static_cast<double>(clip_norm)); }
    TensorList decompose(const TensorList& in) const;
};

/// w, v, g, rate, guard, clip factor -> new w, new v.
struct SgdUpdate {
    float momentum = 0, weight_decay = 0, clip_value = 0;
    bool nesterov = false;
    static constexpr OperationDoc doc{.name = "sgd_update",
                                      .category = "update",
                                      .summary = "one step of stochastic gradient descent",
                                      .formula = "v' = momentum v + g; w' = w - rate v'",
                                      .source = "Sutskever et al. 2013"};
    void infer(InputTypes in, OutputTypes& out) const {
        out.push_back(*in[0]);
        out.push_back(*in[1]);
    }
    void fields(FieldVisitor& visitor) const;
    TensorList decompose(const TensorList& in) const;
};

/// w, m, v, g, step size, denominator scale, decoupled decay factor, guard, clip factor -> new w, new m, new v.
struct AdamUpdate {
    float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-7f, weight_decay = 0, clip_value = 0;
    bool decoupled = false;
    static constexpr OperationDoc doc{
        .name = "adam_update",
        .category = "update",
        .summary = "one step of Adam or AdamW",
        .formula = "m' = b1 m + (1-b1) g; v' = b2 v + (1-b2) g^2; w' = w - step m' / (scale sqrt(v') + epsilon)",
        .source = "Kingma and Ba 2015; Loshchilov and Hutter 2019"};
    void infer(InputTypes in, OutputTypes& out) const {
        for (size_t i = 0; i < 3; ++i) out.push_back(*in[i]);
    }
    void fields(FieldVisitor& visitor) const;
    TensorList decompose(const TensorList& in) const;
};

}  // namespace liven::ops
