#include "liven/graph/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/graph/graph.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"
#include "reference_plan.hpp"

namespace liven {

std::string GradcheckReport::str() const {
    std::ostringstream out;
    out.precision(9);
    out << (passed ? "gradient right, largest error at" : "gradient wrong:") << " input " << input << " element "
        << element << ": analytic " << analytic << ", numeric " << numeric << " (error " << error << ", " << checked
        << " elements checked)";
    return out.str();
}

namespace detail {
namespace {

/// A graph and the values of its leaves, f32 as double.
class DoubleGraph {
public:
    explicit DoubleGraph(const std::vector<Value>& roots) {
        std::vector<Node*> order;
        visit_order(roots.data(), roots.data() + roots.size(), order);
        for (Node* node : order)
            if (node->is_leaf()) leaves_.push_back({NodePtr(node), as_double(*node)});
        graph_ = lower(differentiate(trace(roots)));
    }

    /// The values of an f32 leaf, or null when the graph does not read it.
    std::vector<double>* values(const Node* leaf) {
        for (Leaf& mine : leaves_)
            if (mine.node.get() == leaf) return &mine.values;
        return nullptr;
    }

    std::vector<std::vector<double>> run() const {
        std::vector<const void*> pointers;
        for (const Leaf& leaf : leaves_)
            pointers.push_back(is_real(*leaf.node) ? leaf.values.data() : leaf.node->value());
        return run_in_double(graph_, pointers);
    }

private:
    struct Leaf {
        NodePtr node;
        std::vector<double> values;
    };

    static bool is_real(const Node& leaf) { return leaf.outputs[0].type.dtype == DType::f32; }

    static std::vector<double> as_double(const Node& leaf) {
        if (!is_real(leaf)) return {};
        const auto* first = static_cast<const float*>(leaf.value());
        return {first, first + leaf.outputs[0].type.shape.count()};
    }

    Graph graph_;
    std::vector<Leaf> leaves_;
};

/// A scalar that depends on every element of every output, each with its own random factor.
Tensor projection(std::span<const Tensor> outputs, Random& random) {
    Tensor total = Tensor::zeros({});
    for (const Tensor& output : outputs) {
        if (output.dtype() != DType::f32) continue;
        std::vector<float> factors(static_cast<size_t>(output.shape().count()));
        for (float& factor : factors) factor = random.uniform(0.5f, 1.5f) * (random.bits() % 2 == 0 ? 1.0f : -1.0f);
        total = total + sum(output * Tensor::from(factors, output.shape()));
    }
    return total;
}

std::vector<int64_t> chosen_elements(int64_t count, int64_t at_most, Random& random) {
    std::vector<int64_t> elements(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) elements[static_cast<size_t>(i)] = i;
    if (count <= at_most) return elements;
    for (int64_t i = 0; i < at_most; ++i)
        std::swap(elements[static_cast<size_t>(i)],
                  elements[static_cast<size_t>(i) + random.below(static_cast<uint64_t>(count - i))]);
    elements.resize(static_cast<size_t>(at_most));
    return elements;
}

double central_difference(DoubleGraph& graph, double& x, double step) {
    const double centre = x, h = step * std::max(1.0, std::abs(centre));
    x = centre + h;
    const double above = graph.run()[0][0], width_above = x - centre;
    x = centre - h;
    const double below = graph.run()[0][0], width_below = centre - x;
    x = centre;
    return (above - below) / (width_above + width_below);
}

}  // namespace

TensorList gradcheck_leaves(std::span<const Tensor> inputs) {
    TensorList leaves;
    for (const Tensor& input : inputs)
        leaves.push_back(input.dtype() == DType::f32 ? Tensor::from(input.data<float>(), input.shape()) : input);
    return leaves;
}

GradcheckReport gradcheck(std::span<const Tensor> leaves, std::span<const Tensor> outputs,
                          const GradcheckOptions& options) {
    Random random(options.seed);
    const Tensor loss = projection(outputs, random);
    std::vector<size_t> checked;
    TensorList wanted;
    for (size_t i = 0; i < leaves.size(); ++i)
        if (leaves[i].dtype() == DType::f32) {
            checked.push_back(i);
            wanted.push_back(leaves[i]);
        }
    if (wanted.empty()) throw Error("gradcheck", "none of the inputs is f32");
    const Gradients request = gradients(loss, std::span<const Tensor>(wanted.data(), wanted.size()));
    std::vector<Value> roots;
    for (size_t i = 0; i < request.size(); ++i) roots.push_back(request.value(i));
    const auto analytic = DoubleGraph(roots).run();
    DoubleGraph forward({loss.value()});

    GradcheckReport report{.passed = true};
    for (size_t k = 0; k < checked.size(); ++k) {
        std::vector<double>* values = forward.values(wanted[k].node());
        for (int64_t element : chosen_elements(wanted[k].shape().count(), options.elements, random)) {
            const auto at = static_cast<size_t>(element);
            const double numeric = values ? central_difference(forward, (*values)[at], options.step) : 0.0;
            const double mine = analytic[k][at];
            const double error = std::abs(mine - numeric) / std::max({1.0, std::abs(mine), std::abs(numeric)});
            const bool wrong = !(error <= options.tolerance);  // NaN is wrong, too
            if (report.checked++ == 0 || !(error <= report.error)) {
                report.error = error;
                report.input = checked[k];
                report.element = element;
                report.analytic = mine;
                report.numeric = numeric;
            }
            report.passed = report.passed && !wrong;
        }
    }
    return report;
}

}  // namespace detail
}  // namespace liven
