#include "liven/explain/features.hpp"

#include <algorithm>

#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "observed.hpp"

namespace liven::saliency {

Penultimate penultimate(Module& model, const Tensor& samples) {
    const int64_t count = samples.shape()[0];
    const Observed observed = observe(model, samples);
    const Node* output = observed.output.node();
    const auto last = std::find_if(observed.rows.rbegin(), observed.rows.rend(), [&](const ObservedMap& row) {
        return row.result.node() != output && row.result.shape()[0] == count;
    });
    if (last != observed.rows.rend()) {
        // A dropout at rest hands on the result of the layer before it: that is its name.
        const auto first = std::find_if(observed.rows.begin(), observed.rows.end(), [&](const ObservedMap& row) {
            return row.result.node() == last->result.node();
        });
        return {.features = last->result, .layer = first->layer};
    }
    const ObservedMap& map = chosen(observed, "");
    const Tensor pooled = global_avg_pool(map.result);
    const int64_t each = pooled.shape()[0] / count;
    if (each == 1) return {.features = pooled, .layer = map.layer};
    return {.features = mean(reshape(pooled, {count, each, pooled.shape()[1]}), {.axes = {1}}), .layer = map.layer};
}

}  // namespace liven::saliency
