#include "anomaly.hpp"

#include <cmath>
#include <string>

#include "liven/core/error.hpp"
#include "liven/graph/operation.hpp"

namespace liven::detail {

void throw_anomaly(const Node& node, double value, int64_t element) {
    const std::string what = std::isnan(value) ? "NaN" : value > 0 ? "+infinity" : "-infinity";
    const std::string place =
        *node.scope ? std::string(node.is_gradient ? " in the gradient of " : " in ") + node.scope : "";
    throw Error("anomaly", "the first " + what + " was made by " + describe(node) + place + ", element " +
                               std::to_string(element) + " of " + node.outputs[0].type.shape.str());
}

}  // namespace liven::detail
