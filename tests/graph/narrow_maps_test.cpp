#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/native_bf16.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/graph/plan.hpp"
#include "liven/models/registry.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/loss.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "liven/ops/softmax.hpp"
#include "liven/optim/optimizer.hpp"
#include "tests/graph/relative_distance.hpp"
#include "tests/graph/uniform.hpp"

using namespace liven;
using liven::testing::relative_distance;

namespace {

/// All values, one behind the other.
std::vector<float> evaluated(const std::vector<Value>& wanted) {
    Engine::current().evaluate(wanted);
    std::vector<float> values;
    for (const Value& value : wanted) {
        const std::vector<float> each = Tensor(value).to_vector();
        values.insert(values.end(), each.begin(), each.end());
    }
    return values;
}

/// Waves, brighter in every second picture, each value off by at most `noise` of itself.
Tensor pictures(const Shape& shape, float noise) {
    std::vector<float> pixels;
    Random random(5);
    const auto height = static_cast<float>(shape[1]), width = static_cast<float>(shape[2]);
    for (int64_t i = 0; i < shape[0]; ++i) {
        const float rows = random.uniform(0.5f, 4.0f), columns = random.uniform(0.5f, 4.0f);
        for (int64_t p = 0; p < shape[1] * shape[2] * 3; ++p) {
            const int64_t row = p / (3 * shape[2]), column = p / 3 % shape[2];
            const float y = static_cast<float>(row) / height, x = static_cast<float>(column) / width;
            const float wave = std::sin(6 * (rows * y + columns * x) + static_cast<float>(p % 3));
            pixels.push_back((wave + (i % 2 == 0 ? -0.3f : 0.3f)) * (1 + noise * random.uniform(-1.0f, 1.0f)));
        }
    }
    return Tensor::from(std::span<const float>(pixels), shape);
}

/// Loss and gradients of a network over 16 pictures, one behind the other.
std::vector<float> loss_and_gradients(const char* name, DType dtype, float noise = 0) {
    const WithDType storage(dtype);
    const auto model = make_model(name, {});
    const Shape shape{16, 48, 48, 3};
    model->seed(3);
    model->build(shape);
    std::vector<int32_t> classes;
    for (int32_t i = 0; i < 16; ++i) classes.push_back(i % 2);
    const Tensor labels = Tensor::from(std::span<const int32_t>(classes), {16});
    const Tensor loss = cross_entropy((*model)(pictures(shape, noise)), labels);
    const Gradients all = gradients(loss, model->parameters());
    std::vector<Value> wanted{loss.value()};
    for (size_t i = 0; i < all.size(); ++i) wanted.push_back(all.value(i));
    return evaluated(wanted);
}

std::string fused(const Tensor& root, DType dtype) {
    const WithDType storage(dtype);
    return explain(Engine::current().graph_of({&root.value(), 1}), Engine::current().options(),
                   {.after = PlanStage::fuse});
}

int64_t arena_of(const Graph& graph, DType dtype) {
    const WithDType storage(dtype);
    return make_plan(graph, Engine::current().options())->memory().arena_bytes;
}

Tensor columns(const Tensor& x, int64_t begin, int64_t end) {
    return slice(x, {.axis = 1, .begin = begin, .count = end - begin});
}

/// A convolution whose map another one reads.
Tensor two_convolutions() {
    const Tensor x = testing::uniform({2, 24, 24, 16}, 1), w = testing::uniform({3, 3, 16, 16}, 2);
    return conv2d(relu(conv2d(x, w, {.padding = symmetric(1)})), w, {.padding = symmetric(1)});
}

}  // namespace

TEST_CASE("Maps between steps are stored in bf16, results and what is asked for in f32 are not") {
    const std::string exact = fused(two_convolutions(), DType::f32), narrow = fused(two_convolutions(), DType::bf16);
    CHECK(exact.find("bf16\n") == std::string::npos);
    const size_t first = narrow.find("   2x24x24x16 bf16\n");
    REQUIRE(first != std::string::npos);
    CHECK(narrow.find("   2x24x24x16 bf16\n", first + 1) == std::string::npos);
    CHECK(narrow.find("stays in f32: a handle, a state or a result keeps it") != std::string::npos);
}

TEST_CASE("What a step says of kernels that it did not get is true of the maps that it ends up with") {
    EngineOptions options = Engine::current().options();
    options.isa = Isa::avx512;  // planned, not run
    const Tensor result = two_convolutions();
    const Graph graph = Engine::current().graph_of({&result.value(), 1});
    const std::string refusal = "not conv2d_fwd_direct_dots_nhwc_bf16: expected a map stored in bf16, got f32";
    for (const DType dtype : {DType::f32, DType::bf16}) {
        INFO(name_of(dtype));
        options.dtype = dtype;
        const std::string plan = explain(graph, options, {.after = PlanStage::fuse});
        const size_t second = plan.rfind("conv2d[kernel=3x3");
        REQUIRE(second != std::string::npos);
        CHECK(plan.find(refusal) < second);  // of the leaf, which stays as it is
        CHECK((plan.find(refusal, second) == std::string::npos) == (dtype == DType::bf16));
    }
}

TEST_CASE(
    "A map stays in f32 where a kernel knows nothing else, where it is summed to one number, and where it is small") {
    const Tensor x = testing::uniform({4, 24, 24, 16}, 1), w = testing::uniform({3, 3, 16, 16}, 2);
    const Tensor map = conv2d(x, w, {.padding = symmetric(1)});
    CHECK_THAT(fused(max(map, {.axes = {1, 2}}), DType::bf16), Catch::Contains("stays in f32: reduce_max: "));
    const Tensor made = softplus(max_pool(map, {.size = 2}));
    CHECK_THAT(fused(mean(square(made - softmax(made))), DType::bf16), Catch::Contains("to a single number"));
    const Tensor small = conv2d(testing::uniform({1, 8, 8, 16}, 1), w, {.padding = symmetric(1)});
    CHECK(fused(conv2d(small, w, {.padding = symmetric(1)}), DType::bf16).find("x16 bf16") == std::string::npos);
}

TEST_CASE("A dense layer and its gradients read and write their large maps in bf16") {
    const Tensor x = testing::uniform({16, 8, 8, 32}, 1), y = testing::uniform({16, 10}, 2);
    const auto step = [&](DType dtype, std::string* text) {
        const WithDType storage(dtype);
        const Tensor w = testing::uniform({8 * 8 * 32, 10}, 3), scale = testing::uniform({32}, 4);
        const Tensor rows = reshape(leaky_relu(x * scale), {16, 8 * 8 * 32});
        const Tensor loss = mean(square(matmul(rows, w) - y));
        const Gradients all = gradients(loss, {w, scale});
        const std::vector<Value> wanted{loss.value(), all.value(0), all.value(1)};
        if (text)
            *text =
                explain(Engine::current().graph_of(wanted), Engine::current().options(), {.after = PlanStage::fuse});
        return evaluated(wanted);
    };
    std::string narrow;
    const std::vector<float> rounded = step(DType::bf16, &narrow), exact = step(DType::f32, nullptr);
    CHECK_THAT(narrow, Catch::Contains("16x2048 bf16"));
    CHECK_THAT(narrow, !Catch::Contains("2048x10 bf16"));
    CHECK(rounded != exact);
    // The operand and its gradient are off by at most 2^-9 of a value each, and independently.
    CHECK(relative_distance(rounded, exact) < 1.0 / 256);
}

TEST_CASE("A product whose results are summed to one number reads its operand in bf16") {
    const Tensor x = testing::uniform({96, 128}, 1), y = testing::uniform({96, 600}, 2),
                 w = testing::uniform({128, 600}, 3);
    CHECK_THAT(fused(mean(square(matmul(softplus(x), w) - y)), DType::bf16), Catch::Contains("96x128 bf16"));
}

TEST_CASE("A step with maps in bf16 has the same bits on one thread and two, with dot products and without") {
    // A 1x1 layer, one with a stride, one of 5x5 and a dense one: every gradient of weights that has dot products.
    // Smooth activations: at a kink rounding may change a slope.
    const Tensor x = testing::uniform({3, 25, 27, 64}, 1), point = testing::uniform({1, 1, 64, 96}, 2),
                 strided = testing::uniform({3, 3, 96, 64}, 3), wide = testing::uniform({5, 5, 64, 32}, 4),
                 dense = testing::uniform({13 * 14 * 32, 10}, 5);
    const auto step = [&](DType dtype) {
        const WithDType storage(dtype);
        const Tensor first = tanh(conv2d(tanh(x * 0.5f), point));
        const Tensor second = tanh(conv2d(first, strided, {.stride = 2, .padding = symmetric(1)}) * 0.05f);
        const Tensor third = tanh(conv2d(second, wide, {.padding = symmetric(2)}) * 0.05f);
        const Tensor loss = mean(square(matmul(flatten(third), dense)));
        const Gradients all = gradients(loss, {point, strided, wide, dense});
        std::vector<Value> wanted{loss.value()};
        for (size_t i = 0; i < all.size(); ++i) wanted.push_back(all.value(i));
        Engine::current().evaluate(wanted);
        std::vector<std::vector<float>> values;
        for (const Value& value : wanted) values.push_back(Tensor(value).to_vector());
        return values;
    };
    const std::vector<std::vector<float>> exact = step(DType::f32);
    const int threads = thread_count();
    for (const bool dots : {false, true}) {
        kernels::allow_native_bf16(dots);
        Engine::current().clear_plans();  // kernels are chosen when a plan is made
        set_thread_count(1);
        const std::vector<std::vector<float>> one = step(DType::bf16);
        set_thread_count(2);
        const std::vector<std::vector<float>> two = step(DType::bf16);
        CHECK(one == two);
        // Maps and, with dot products, weights are off by at most 2^-9 of a value each, and independently; a gradient
        // comes through three rounded layers on either way.
        for (size_t i = 0; i < exact.size(); ++i) CHECK(relative_distance(one[i], exact[i]) < 3.0 / 256);
    }
    kernels::allow_native_bf16(true);
    Engine::current().clear_plans();
    set_thread_count(threads);
}

TEST_CASE(
    "Dense layers of many rows are dot products of bf16, forward and backward, with the same bits on two threads") {
    const Tensor x = testing::uniform({150, 96}, 1), first = testing::uniform({96, 128}, 2),
                 second = testing::uniform({128, 130}, 3);
    const auto wanted_of = [&] {
        const Tensor loss = mean(square(tanh(matmul(tanh(matmul(tanh(x), first) * 0.1f), second) * 0.1f)));
        const Gradients all = gradients(loss, {first, second, x});
        return std::vector<Value>{loss.value(), all.value(0), all.value(1), all.value(2)};
    };
    const std::vector<float> exact = evaluated(wanted_of());
    const WithDType storage(DType::bf16);
    const int threads = thread_count();
    std::vector<std::vector<float>> results;
    for (const int count : {1, 2}) {
        set_thread_count(count);
        results.push_back(evaluated(wanted_of()));
    }
    set_thread_count(threads);
    CHECK(results[0] == results[1]);
    // Maps and weights are off by at most 2^-9 of a value each, and independently, on the way through two layers.
    CHECK(relative_distance(results[0], exact) < 2.0 / 256);
    if (!kernels::native_bf16(active_isa())) return;
    const std::string text =
        explain(Engine::current().graph_of(wanted_of()), Engine::current().options(), {.after = PlanStage::schedule});
    size_t dots = 0, products = 0;
    for (size_t at = text.find("   matmul_"); at != std::string::npos; at = text.find("   matmul_", at + 1)) {
        ++products;
        if (text.substr(at, text.find('\n', at) - at).find("_dots_") != std::string::npos) ++dots;
    }
    CHECK(products > 0);
    CHECK(dots == products);
}

TEST_CASE("What the gradient of a weight is the sum of is never rounded between its parts") {
    // A cell by hand: three steps with the same two slices of one weight.
    const State state("weight", testing::uniform({64, 256}, 1));
    const Tensor left = columns(state, 0, 128), right = columns(state, 128, 256);
    Tensor h = testing::uniform({256, 64}, 2);
    for (int i = 0; i < 3; ++i) {
        const Tensor gate = sigmoid(matmul(h, left));
        const Tensor made = tanh(matmul(h, right));
        const Tensor both = gate * made;
        h = columns(both, 0, 64) + columns(both, 64, 128);
    }
    const Gradients all = gradients(mean(square(h)), {state});
    const Value wanted = all.value(0);
    const WithDType storage(DType::bf16);
    const std::string text =
        explain(Engine::current().graph_of({&wanted, 1}), Engine::current().options(), {.after = PlanStage::fuse});
    CHECK_THAT(text, Catch::Contains("256x128 bf16"));  // activations
    CHECK_THAT(text, Catch::Contains("64x128"));
    CHECK_THAT(text, !Catch::Contains("64x128 bf16"));
}

TEST_CASE("A convolution of a map in bf16 is that of the rounded map") {
    const Tensor x = testing::uniform({2, 24, 24, 16}, 1), w = testing::uniform({3, 3, 16, 16}, 2);
    const std::vector<float> exact = two_convolutions().to_vector();
    const WithDType storage(DType::bf16);
    const std::vector<float> narrow = two_convolutions().to_vector();
    CHECK(narrow != exact);
    // Each value of the map between is off by at most 2^-9 of itself, and the errors are independent.
    CHECK(relative_distance(narrow, exact) < 1.0 / 512);
}

TEST_CASE("A step of the four CNNs with maps in bf16 moves like one with that noise in the pictures alone") {
    for (const char* name : {"attacknet-v1", "attacknet-v2.1", "attacknet-v2.2", "livenessnet"}) {
        const std::vector<float> exact = loss_and_gradients(name, DType::f32);
        const double noise = relative_distance(loss_and_gradients(name, DType::f32, 1.0f / 512), exact);
        const Isa before = active_isa();
        for (const Isa isa : available_isas()) {
            set_active_isa(isa);
            const std::vector<float> narrow = loss_and_gradients(name, DType::bf16);
            INFO(name << " on " << name_of(isa) << ", noise " << noise);
            CHECK(narrow != exact);
            // Rounding is off by at most 2^-9 of a value. What maxima, kinks and batch-norm over few samples make of
            // that shows in the pictures' own noise of 2^-9; twenty maps add to it in quadrature, the late ones least.
            CHECK(relative_distance(narrow, exact) < 2 * noise);
        }
        set_active_isa(before);
    }
}

TEST_CASE("Storing maps in bf16 saves more than a third of the arena") {
    const auto model = make_model("attacknet-v2.2", {});
    const Shape shape{4, 128, 128, 3};
    model->build(shape);
    Adam adam(model->parameters(), Adam::Options{});
    const std::vector<int32_t> classes{0, 1, 1, 0};
    const Tensor labels = Tensor::from(std::span<const int32_t>(classes), {4});
    const Tensor loss = cross_entropy((*model)(Tensor::zeros(shape)), labels);
    const Graph graph = adam.trace_step(gradients(loss, model->parameters()));
    CHECK(static_cast<double>(arena_of(graph, DType::bf16)) < 0.66 * static_cast<double>(arena_of(graph, DType::f32)));
}

TEST_CASE("The storage of maps is part of a plan's key, and other types are refused") {
    const auto plans = [] { return Engine::current().statistics().plans_made; };
    Engine::current().clear_plans();
    two_convolutions().to_vector();
    const int64_t before = plans();
    {
        const WithDType storage(DType::bf16);
        two_convolutions().to_vector();
        CHECK(plans() == before + 1);
        two_convolutions().to_vector();
    }
    two_convolutions().to_vector();
    CHECK(plans() == before + 1);
    CHECK_THROWS_AS(Engine::current().set_dtype(DType::u8), Error);
}

TEST_CASE("The search for anomalies and the reference executor keep everything in f32") {
    const std::vector<float> exact = two_convolutions().to_vector();
    const WithDType storage(DType::bf16);
    Engine::current().set_detect_anomaly(true);
    CHECK(fused(two_convolutions(), DType::bf16).find("x16 bf16") == std::string::npos);
    Engine::current().set_detect_anomaly(false);
    set_executor_kind(ExecutorKind::reference);
    CHECK(relative_distance(two_convolutions().to_vector(), exact) < 1e-5);  // both are f32; Winograd has its own error
    set_executor_kind(ExecutorKind::planned);
}
