#pragma once

#include "liven/ops/arithmetic.hpp"

namespace liven {

/// Where a dropout mask comes from: the same seed, forward counter, key and element give the same decision, in any
/// order, on any number of threads, however the graph is cut into plans.
struct DropoutKey {
    Tensor seed;         ///< 64-bit scalar, input of the plan
    Tensor forward;      ///< 64-bit scalar: how many training forwards came before
    uint32_t layer = 0;  ///< hash of the module path and call index; part of the structure
};

/// Each element is kept with probability 1 - rate and scaled by 1 / (1 - rate), else 0. Throws Error unless 0 <= rate
/// < 1. Srivastava et al. 2014, with the mask from Philox.
Tensor dropout(const Tensor& x, float rate, const DropoutKey& key);

namespace ops {

struct Dropout : PointwiseAttributes {
    static constexpr bool pointwise = true;
    static constexpr OperationDoc doc{.name = "dropout",
                                      .category = "regularisation",
                                      .summary = "elements dropped at random, the rest scaled",
                                      .formula = "y = keep(seed, forward, key, index) ? x * imm1 : 0",
                                      .source = "Srivastava et al. 2014"};
    void infer(InputTypes in, OutputTypes& out) const { out.push_back({.shape = in[0]->shape}); }
    void fields(FieldVisitor& visitor) const {
        visitor.field("rate", static_cast<double>(imm0));
        visitor.field("scale", static_cast<double>(imm1));
        visitor.field("key", static_cast<int64_t>(key));
    }
    /// Dropping again with the same key keeps the same elements.
    void vjp(Vjp& v) const { v.contribute(0, apply(*this, {v.gradient(), v.input(1), v.input(2)})); }
};

}  // namespace ops
}  // namespace liven
