#include "liven/graph/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <vector>

#include "double_graph.hpp"
#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"

namespace liven {
namespace {

/// A scalar that depends on every element of every result, each with its own random factor.
Tensor projection(const TensorList& results, Random& random) {
    Tensor total;
    for (const Tensor& result : results) {
        if (result.dtype() != DType::f32) continue;
        std::vector<float> factors(static_cast<size_t>(result.shape().count()));
        for (float& factor : factors) factor = random.uniform(0.5f, 1.5f) * (random.bits() % 2 == 0 ? 1.0f : -1.0f);
        const Tensor part = sum(result * Tensor::from(factors, result.shape()));
        total = total.defined() ? total + part : part;
    }
    if (!total.defined()) throw Error("gradcheck", "none of the results is f32");
    return total;
}

TensorList gradients_of(const Tensor& loss, const TensorList& wanted) {
    const Gradients request = gradients(loss, std::span<const Tensor>(wanted.data(), wanted.size()));
    TensorList list;
    for (size_t i = 0; i < request.size(); ++i) list.push_back(request[i]);
    return list;
}

/// The function at fresh leaves, projected to one number, with that number's gradients.
struct Subject {
    TensorList wanted;            ///< the f32 inputs
    std::vector<size_t> numbers;  ///< which inputs those are
    Tensor loss;
    TensorList gradients;

    Subject(const GradcheckFunction& f, const TensorList& given, const GradcheckOptions& options) {
        TensorList inputs;
        for (size_t i = 0; i < given.size(); ++i) {
            const bool real = given[i].dtype() == DType::f32;
            inputs.push_back(real ? Tensor::from(given[i].data<float>(), given[i].shape()) : given[i]);
            if (!real) continue;
            wanted.push_back(inputs.back());
            numbers.push_back(i);
        }
        if (wanted.empty()) throw Error("gradcheck", "none of the inputs is f32");
        Random random(options.seed);
        loss = projection(f(inputs), random);
        gradients = gradients_of(loss, wanted);
        for (int order = 1; order < options.order; ++order) {
            loss = projection(gradients, random);
            gradients = gradients_of(loss, wanted);
        }
    }
};

std::vector<int64_t> chosen_elements(int64_t count, const GradcheckOptions& options) {
    std::vector<int64_t> elements(static_cast<size_t>(count));
    std::iota(elements.begin(), elements.end(), 0);
    if (count <= options.elements) return elements;
    Random random(options.seed, 1);
    const auto chosen = static_cast<size_t>(options.elements);
    for (size_t i = 0; i < chosen; ++i)
        std::swap(elements[i], elements[i + static_cast<size_t>(random.below(elements.size() - i))]);
    elements.resize(chosen);
    return elements;
}

double central_difference(const detail::DoubleGraph& graph, double& x, double step) {
    const double centre = x, h = step * std::max(1.0, std::abs(centre));
    x = centre + h;
    const double above = graph.run()[0][0], high = x;
    x = centre - h;
    const double below = graph.run()[0][0], low = x;
    x = centre;
    return (above - below) / (high - low);
}

double largest(const std::vector<double>& values) {
    double most = 0;
    for (double value : values) most = std::max(most, std::abs(value));
    return most;
}

std::string text_of(const GradcheckReport& report, const Shape& shape, double tolerance) {
    std::ostringstream out;
    out.precision(9);
    out << (report.ok ? "right gradient" : "wrong gradient") << ": input " << report.input << " (" << shape
        << "), element " << report.element << ": analytic " << report.analytic << ", numeric " << report.numeric
        << ", error " << report.error << " (tolerance " << tolerance << ", " << report.checked << " elements)";
    return out.str();
}

}  // namespace

GradcheckReport gradcheck(const GradcheckFunction& f, const TensorList& inputs, const GradcheckOptions& options) {
    const Subject subject(f, inputs, options);
    std::vector<Value> roots{subject.loss.value()};
    detail::DoubleGraph forward(roots);
    for (const Tensor& gradient : subject.gradients) roots.push_back(gradient.value());
    const std::vector<std::vector<double>> exact = detail::DoubleGraph(roots).run();

    GradcheckReport report;
    report.input = subject.numbers[0];
    for (size_t k = 0; k < subject.wanted.size(); ++k) {
        const std::span<double> leaf = forward.leaf(subject.wanted[k].node());
        const std::vector<double>& analytic = exact[k + 1];
        // Where every gradient is 0, the differences still have the rounding of the loss.
        const double magnitude = std::max(largest(analytic), 1e-3 * std::max(1.0, std::abs(exact[0][0])));
        for (int64_t element : chosen_elements(static_cast<int64_t>(analytic.size()), options)) {
            const auto at = static_cast<size_t>(element);
            const double numeric = leaf.empty() ? 0.0 : central_difference(forward, leaf[at], options.step);
            const double error = std::abs(analytic[at] - numeric) / magnitude;
            ++report.checked;
            report.ok = report.ok && error <= options.tolerance;  // NaN is wrong, too
            if (error <= report.error || std::isnan(report.error)) continue;
            report.error = error;
            report.input = subject.numbers[k];
            report.element = element;
            report.analytic = analytic[at];
            report.numeric = numeric;
        }
    }
    report.text = text_of(report, inputs[report.input].shape(), options.tolerance);
    return report;
}

}  // namespace liven
