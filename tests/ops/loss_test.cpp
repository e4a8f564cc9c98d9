#include "liven/ops/loss.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/error.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/distance.hpp"
#include "liven/ops/regression_loss.hpp"
#include "liven/ops/softmax.hpp"
#include "liven/ops/triplet_loss.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

OperationCase entropy(const char* name, const Shape& logits, const std::vector<int32_t>& classes,
                      const std::function<CrossEntropyOptions()>& options) {
    return {.name = name,
            .operands = [=]() -> TensorList {
                return {uniform(logits, 1, -3, 3), Tensor::from(std::span<const int32_t>(classes), {logits[0]})};
            },
            .function = [=](const TensorList& in) -> TensorList { return {cross_entropy(in[0], in[1], options())}; }};
}

}  // namespace

TEST_CASE("Cross entropy with smoothing, class weights and a mask") {
    const std::vector<int32_t> classes{0, 2, 1, 1, 0};
    const auto weights = [] { return Tensor::from({0.5f, 2.0f, 1.25f}, {3}); };
    const auto mask = [] { return Tensor::from({1, 0, 1, 1, 0}, {5}); };
    check({entropy("plain", {5, 3}, classes, [] { return CrossEntropyOptions{}; }),
           entropy("one sample, two classes", {1, 2}, {1}, [] { return CrossEntropyOptions{}; }),
           entropy("smoothing", {5, 3}, classes, [] { return CrossEntropyOptions{.label_smoothing = 0.1f}; }),
           entropy("weights", {5, 3}, classes, [&] { return CrossEntropyOptions{.class_weights = weights()}; }),
           entropy("mask", {5, 3}, classes, [&] { return CrossEntropyOptions{.mask = mask()}; }),
           entropy("all of it", {5, 3}, classes, [&] {
               return CrossEntropyOptions{.label_smoothing = 0.2f, .class_weights = weights(), .mask = mask()};
           })});
}

TEST_CASE("Losses between numbers") {
    const auto operands = [](const Shape& shape) {
        // Further apart than the Huber loss's delta in places, nearer in others, nowhere at the kink.
        return [shape]() -> TensorList { return {distinct(shape, 1, 0.03f), Tensor::full(shape, 0.0023f)}; };
    };
    for (const Shape& shape : {Shape{1}, Shape{5, 7}, Shape{2, 3, 4, 5}})
        for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none})
            check({{.name = "mse_loss of " + shape.str(),
                    .operands = operands(shape),
                    .function = [=](const TensorList& in) -> TensorList {
                        return {mse_loss(in[0], in[1], {.reduction = reduction})};
                    }},
                   {.name = "l1_loss of " + shape.str(),
                    .operands = operands(shape),
                    .function = [=](const TensorList& in) -> TensorList {
                        return {l1_loss(in[0], in[1], {.reduction = reduction})};
                    }},
                   {.name = "huber_loss of " + shape.str(),
                    .operands = operands(shape),
                    .function = [=](const TensorList& in) -> TensorList {
                        return {huber_loss(in[0], in[1], {.delta = 0.251f, .reduction = reduction})};
                    }},
                   {.name = "binary_cross_entropy of " + shape.str(),
                    .operands = [=]() -> TensorList {
                        return {uniform(shape, 1, -4, 4), uniform(shape, 2, 0, 1)};
                    },
                    .function = [=](const TensorList& in) -> TensorList {
                        return {binary_cross_entropy(in[0], in[1], {.reduction = reduction})};
                    }}});
}

TEST_CASE("A mask leaves samples out of a mean") {
    const Tensor x = Tensor::from({1, 2, 3, 4}, {2, 2}), y = Tensor::zeros({2, 2});
    CHECK(mse_loss(x, y, {.weights = Tensor::from({1, 0}, {2, 1})}).item() == 2.5f);
    CHECK(l1_loss(x, y, {.weights = Tensor::from({0, 1}, {2, 1})}).item() == 3.5f);
    CHECK(l1_loss(x, y, {.weights = Tensor::from({0, 0}, {2, 1})}).item() == 0.0f);
    CHECK(cross_entropy(x, labels({0, 1}), {.mask = Tensor::from({0, 0}, {2})}).item() == 0.0f);
    check({{.name = "masked",
            .operands = []() -> TensorList {
                return {uniform({3, 2, 2, 5}, 1), uniform({3, 2, 2, 5}, 2, 2, 3), uniform({3, 1, 1, 1}, 3, 0.5f, 1)};
            },
            .function = [](const TensorList& in) -> TensorList {
                return {mse_loss(in[0], in[1], {.weights = in[2]}), l1_loss(in[0], in[1], {.weights = in[2]}),
                        huber_loss(in[0], in[1], {.weights = in[2]})};
            }}});
}

TEST_CASE("Losses neither overflow nor take the logarithm of 0") {
    const Tensor x = Tensor::from({200, -200, -200, 200}, {2, 2});
    const Tensor loss = cross_entropy(x, labels({1, 1}));
    CHECK(loss.item() == 200.0f);
    const auto g = gradients(loss, {x})[0].to_vector();
    CHECK(g == std::vector<float>{0.5f, -0.5f, 0, 0});
    const Tensor logits = Tensor::from({200, -200}, {2}), targets = Tensor::from({0, 0}, {2});
    CHECK(binary_cross_entropy(logits, targets).item() == 100.0f);
}

TEST_CASE("Distances between rows, and the square root with gradient 0 at 0") {
    check({{.name = "pairwise_distances",
            .operands = []() -> TensorList {
                return {uniform({5, 7}, 1), uniform({3, 7}, 2)};
            },
            .function = [](const TensorList& in) -> TensorList {
                return {pairwise_distances(in[0], in[1]), pairwise_distances(in[0], in[1], {.squared = true})};
            }},
           {.name = "l2_normalize",
            .operands = []() -> TensorList {
                return {uniform({5, 19}, 1)};
            },
            .function = [](const TensorList& in) -> TensorList { return {l2_normalize(in[0])}; }}});
    const Tensor x = Tensor::from({0, 4}, {2});
    CHECK(safe_sqrt(x).to_vector() == std::vector<float>{0, 2});
    CHECK(gradients(projection({safe_sqrt(x)}), {x})[0].to_vector()[0] == 0.0f);
    CHECK_THAT(message_of([] {
                   pairwise_distances(uniform({5, 7}, 1), uniform({3, 6}, 2));
               }),
               Catch::Contains("5x7") && Catch::Contains("3x6"));
}

TEST_CASE("Triplet losses, of every class and of one class of anchors") {
    const auto operands = []() -> TensorList { return {uniform({7, 5}, 1), labels({0, 1, 0, 2, 1, 0, 3})}; };
    for (const TripletOptions& options :
         {TripletOptions{.margin = 0.5f, .classes = 4}, TripletOptions{.margin = 5.0f, .classes = 4},
          TripletOptions{.margin = 0.5f, .classes = 4, .anchor_class = 0},
          TripletOptions{.margin = 2.0f, .normalize = false, .squared = true, .classes = 3}})
        check({.name = "triplet_loss",
               .operands = operands,
               .function = [&](const TensorList& in) -> TensorList { return {triplet_loss(in[0], in[1], options)}; },
               // In float, sums of tens of like terms over a count: one derivative is enough to test.
               .gradient_orders = 1});
}

TEST_CASE("A triplet loss by hand") {
    const Tensor x = Tensor::from({0, 1, 3}, {3, 1});
    const TripletOptions options{.margin = 2.5f, .normalize = false};
    // Anchor 0, positive 1, negative 3: 1 - 3 + 2.5 = 0.5; anchor 1, positive 0: 1 - 2 + 2.5 = 1.5.
    CHECK(triplet_loss(x, labels({0, 0, 1}), options).item() == 1.0f);
    CHECK(triplet_loss(x, labels({0, 0, 1}), {.margin = 2.5f, .normalize = false, .anchor_class = 1}).item() == 0.0f);
    CHECK(triplet_loss(x, labels({0, 1, 9}), options).item() == 0.0f);  // no pair of one class; 9 takes no part
}

TEST_CASE("Equal embeddings have a finite triplet gradient") {
    const Tensor x = Tensor::from({1, 2, 1, 2, 1, 2}, {3, 2});
    const Gradients g = gradients(triplet_loss(x, labels({0, 0, 1})), {x});
    for (float value : g[0].to_vector()) CHECK(std::isfinite(value));
}

TEST_CASE("Losses name the shapes that do not fit") {
    const Tensor x = uniform({4, 3}, 1);
    CHECK_THAT(message_of([&] {
                   cross_entropy(x, labels({0, 1, 2}));
               }),
               Catch::Contains("4x3") && Catch::Contains("3"));
    CHECK_THAT(message_of([&] { cross_entropy(x, uniform({4}, 1)); }), Catch::Contains("i32") && Catch::Contains("4"));
    CHECK_THAT(message_of([&] {
                   cross_entropy(x, labels({0, 1, 2, 0}), {.label_smoothing = 1.0f});
               }),
               Catch::Contains("label_smoothing"));
    CHECK_THAT(message_of([&] { mse_loss(x, uniform({4, 1}, 2)); }), Catch::Contains("4x3") && Catch::Contains("4x1"));
    CHECK_THAT(message_of([&] { l1_loss(x, uniform({3, 4}, 2)); }), Catch::Contains("4x3") && Catch::Contains("3x4"));
    CHECK_THAT(message_of([&] { huber_loss(x, uniform({12}, 2)); }), Catch::Contains("4x3") && Catch::Contains("12"));
    CHECK_THAT(message_of([&] { huber_loss(x, x, {.delta = 0}); }), Catch::Contains("delta"));
    CHECK_THAT(message_of([&] { binary_cross_entropy(x, uniform({4}, 2)); }),
               Catch::Contains("4x3") && Catch::Contains("4"));
    CHECK_THAT(message_of([&] {
                   mse_loss(x, x, {.weights = uniform({5, 3}, 1)});
               }),
               Catch::Contains("4x3") && Catch::Contains("5x3"));
    CHECK_THAT(message_of([&] { triplet_loss(x, labels({0, 1})); }), Catch::Contains("4x3") && Catch::Contains("2"));
    CHECK_THAT(message_of([&] { triplet_loss(x, labels({0, 1, 0, 1}), {.anchor_class = 2}); }), Catch::Contains("2"));
}
