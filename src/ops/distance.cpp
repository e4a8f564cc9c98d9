#include "liven/ops/distance.hpp"

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"

namespace liven {

Tensor safe_sqrt(const Tensor& a) {
    const Tensor inside = positive(a);
    return select(inside, sqrt(select(inside, a, Tensor::ones({}))), Tensor::zeros({}));
}

Tensor l2_normalize(const Tensor& x, float epsilon) {
    return x * rsqrt(shift(sum(square(x), {.axes = {-1}, .keep_axes = true}), epsilon));
}

Tensor pairwise_distances(const Tensor& a, const Tensor& b, const DistanceOptions& options) {
    if (a.rank() != 2 || b.rank() != 2 || a.shape()[1] != b.shape()[1])
        throw Error("pairwise_distances",
                    "expected N x D and M x D, got " + a.shape().str() + " and " + b.shape().str());
    const Shape &rows = a.shape(), &columns = b.shape();
    const Tensor difference = reshape(a, Shape{rows[0], 1, rows[1]}) - reshape(b, Shape{1, columns[0], columns[1]});
    const Tensor squares = sum(square(difference), {.axes = {-1}});
    return options.squared ? squares : safe_sqrt(squares);
}

}  // namespace liven
