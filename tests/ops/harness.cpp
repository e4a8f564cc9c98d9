#include "harness.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/gradcheck.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"
#include "src/plan/double_graph.hpp"

namespace liven::testing {
namespace {

std::vector<float> uniform_numbers(int64_t count, uint64_t seed, float low, float high) {
    Random random(seed, 77);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = random.uniform(low, high);
    return values;
}

struct Setting {
    ExecutorKind executor = ExecutorKind::planned;
    Isa isa = Isa::baseline;
    int threads = 1;
    bool strict_math = false;
};

/// How the engine runs while one lives.
class EngineSetting {
public:
    explicit EngineSetting(const Setting& setting)
        : executor_(executor_kind()), isa_(active_isa()), threads_(thread_count()), poison_(poison()) {
        set_executor_kind(setting.executor);
        set_active_isa(setting.isa);
        set_thread_count(setting.threads);
        Engine::current().set_strict_math(setting.strict_math);
        set_poison(true);  // reads of memory that the plan has freed become NaN
        Engine::current().clear_plans();
    }
    ~EngineSetting() {
        set_executor_kind(executor_);
        set_active_isa(isa_);
        set_thread_count(threads_);
        set_poison(poison_);
        Engine::current().set_strict_math(false);
        Engine::current().clear_plans();
    }
    EngineSetting(const EngineSetting&) = delete;
    EngineSetting& operator=(const EngineSetting&) = delete;

private:
    ExecutorKind executor_;
    Isa isa_;
    int threads_;
    bool poison_;
};

/// A case recorded once: its f32 results and the gradients of its f32 operands.
struct Recorded {
    TensorList operands, results;
    std::vector<Tensor> gradients;

    explicit Recorded(const OperationCase& test) : operands(test.operands()), results(test.function(operands)) {
        if (test.gradient_orders == 0) return;
        TensorList wanted;
        for (const Tensor& operand : operands)
            if (operand.dtype() == DType::f32) wanted.push_back(operand);
        const Gradients all =
            liven::gradients(projection(results), std::span<const Tensor>(wanted.data(), wanted.size()));
        for (size_t i = 0; i < all.size(); ++i) gradients.push_back(all[i]);
    }
    std::vector<Value> values() const {
        std::vector<Value> list;
        for (const Tensor& result : results) list.push_back(result.value());
        for (const Tensor& gradient : gradients) list.push_back(gradient.value());
        return list;
    }
};

std::vector<std::vector<float>> run(const OperationCase& test, const Setting& setting) {
    const EngineSetting engine(setting);
    return computed(Recorded(test).values());
}

bool has_convolution(const std::vector<Value>& values) {
    const Graph graph = lower(differentiate(trace(values)));
    const std::vector<Node*> order = graph.order();
    return std::any_of(order.begin(), order.end(), [](const Node* node) {
        return !node->is_leaf() && node->operation->name().substr(0, 6) == "conv2d";
    });
}

std::string title(const OperationCase& test, size_t value, size_t results) {
    if (value < results) return test.name + ", result " + std::to_string(value);
    return test.name + ", gradient " + std::to_string(value - results);
}

bool all_finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

Tensor uniform(const Shape& shape, uint64_t seed, float low, float high) {
    return Tensor::from(uniform_numbers(shape.count(), seed, low, high), shape);
}

Tensor away_from_zero(const Shape& shape, uint64_t seed, float low, float high) {
    std::vector<float> values = uniform_numbers(shape.count(), seed, low, high);
    Random random(seed, 78);
    for (float& value : values)
        if (random.below(2) == 1) value = -value;
    return Tensor::from(values, shape);
}

Tensor distinct(const Shape& shape, uint64_t seed, float spacing) {
    const auto count = static_cast<size_t>(shape.count());
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i)
        values[i] = (static_cast<float>(i) - static_cast<float>(count / 2) + 0.5f) * spacing;
    Random random(seed, 79);
    for (size_t i = count; i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
    return Tensor::from(values, shape);
}

Tensor labels(std::initializer_list<int32_t> values) {
    return Tensor::from(std::span<const int32_t>(values.begin(), values.size()),
                        Shape{static_cast<int64_t>(values.size())});
}

Tensor projection(const TensorList& results) {
    Tensor total = Tensor::zeros({});
    uint64_t seed = 1000;
    for (const Tensor& result : results) total = total + sum(result * uniform(result.shape(), seed++, 0.25f, 1.25f));
    return total;
}

std::vector<std::vector<float>> computed(const std::vector<Value>& values) {
    Engine::current().evaluate(values);
    std::vector<std::vector<float>> numbers;
    for (const Value& value : values) numbers.push_back(Tensor(value).to_vector());
    return numbers;
}

double relative_error(const std::vector<float>& a, const std::vector<double>& b) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < b.size(); ++i) {
        const double d = static_cast<double>(a[i]) - b[i];
        difference += d * d;
        norm += b[i] * b[i];
    }
    return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

void check_executors(const OperationCase& test) {
    const Recorded recorded(test);
    const std::vector<Value> values = recorded.values();
    const std::vector<std::vector<double>> exact = liven::detail::DoubleGraph(values).run();
    const auto reference = run(test, {.executor = ExecutorKind::reference});
    REQUIRE(reference.size() == exact.size());
    const auto compare = [&](const Setting& setting) {
        const auto one = run(test, setting);
        Setting both = setting;
        both.threads = 2;
        const auto two = run(test, both);
        for (size_t i = 0; i < exact.size(); ++i) {
            INFO(title(test, i, recorded.results.size())
                 << ", " << name_of(setting.isa) << (setting.strict_math ? "" : ", fast convolutions"));
            CHECK(all_finite(one[i]));
            CHECK(one[i] == two[i]);
            // The reference adds in double and rounds once an operation. Ours adds blocks in fp32: sums whose terms
            // have both signs lose a few units in the last place of the terms, however exact the reference. Winograd's
            // transforms lose more; without strict math the first bound alone holds.
            const double exactly = 10 * std::max(relative_error(reference[i], exact[i]), 2e-7);
            CHECK(relative_error(one[i], exact[i]) <= (setting.strict_math ? std::min(1e-4, exactly) : 1e-4));
        }
    };
    const bool convolves = has_convolution(values);
    for (Isa isa : available_isas()) {
        compare({.isa = isa, .strict_math = true});
        if (convolves) compare({.isa = isa});
    }
}

void check_gradients(const OperationCase& test) {
    for (int order = 1; order <= test.gradient_orders; ++order) {
        const GradcheckReport report =
            gradcheck(GradcheckFunction(test.function), test.operands(),
                      {.order = order, .elements = order == 1 ? test.elements : test.elements / 4});
        INFO(test.name << ", derivative " << order << ": " << report.text);
        CHECK(report.ok);
    }
}

void check(const OperationCase& test) {
    check_gradients(test);
    check_executors(test);
}

std::string message_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace liven::testing
