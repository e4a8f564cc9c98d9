#include "liven/ops/dropout.hpp"

#include <string>

#include "liven/core/error.hpp"

namespace liven {

Tensor dropout(const Tensor& x, float rate, const DropoutKey& key) {
    if (!(rate >= 0.0f && rate < 1.0f))
        throw Error("dropout", "expected a rate of at least 0 and below 1, got " + std::to_string(rate));
    if (rate == 0.0f) return x;
    ops::Dropout op;
    op.imm0 = rate;
    op.imm1 = 1.0f / (1.0f - rate);
    op.key = key.layer;
    return apply(op, {x, key.seed, key.forward});
}

}  // namespace liven
