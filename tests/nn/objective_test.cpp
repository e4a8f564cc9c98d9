#include "liven/nn/objective.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "liven/core/error.hpp"
#include "liven/nn/layers.hpp"
#include "liven/ops/loss.hpp"

using namespace liven;

namespace {

/// A network without an objective of its own.
class Plain : public Module {
public:
    Dense dense{*this, "dense", {.units = 2}};

protected:
    Tensor forward(Tensor x) override { return dense(x); }
};

/// A function with two results, and dropout in it.
class TwoHeads : public Module {
public:
    struct Both {
        Tensor left, right;
    };
    Both both(const Tensor& x) {
        const Pass pass(*this);
        return {.left = drop(x), .right = drop(x)};
    }

protected:
    Tensor forward(Tensor x) override { return both(x).left; }

private:
    Dropout drop{*this, "drop", 0.5f};
};

Tensor labels() {
    const std::vector<int32_t> values{0, 1, 1};
    return Tensor::from(std::span<const int32_t>(values), {3});
}

}  // namespace

TEST_CASE("A network without an objective of its own is a classifier") {
    Plain network;
    const Tensor x = Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2});
    const auto objective = network.objective();
    const ObjectivePass pass = objective->pass(x, labels(), {.label_smoothing = 0.1f});
    REQUIRE(pass.terms.size() == 1);
    CHECK(pass.terms[0].name == "cross_entropy");
    CHECK(pass.loss().item() == cross_entropy(network(x), labels(), {.label_smoothing = 0.1f}).item());
    CHECK(pass.logits.to_vector() == network(x).to_vector());
    CHECK(pass.output.to_vector() == pass.logits.to_vector());
    CHECK(objective->scores_probability());
    CHECK(objective->score(std::vector<float>{0, 0}) == 0.5);
    CHECK(objective->score(std::vector<float>{1000, -1000}) == 1.0);
    CHECK(objective->score(std::vector<float>{0, 1}) == Approx(1 / (1 + std::exp(1.0))));
    CHECK_THROWS_AS(objective->score({}), Error);
}

TEST_CASE("A loss is the weighted sum of its terms, and has at least one") {
    const auto number = [](float value) { return Tensor::from({value}, {1}); };
    const ObjectivePass pass{.terms = {{"a", number(2), 5}, {"b", number(3)}}, .output = {}};
    CHECK(pass.loss().item() == 13.0f);
    CHECK_THROWS_WITH((ObjectivePass{.terms = {}, .output = {}}.loss()), Catch::Contains("term"));
}

TEST_CASE("A pass with two results is one forward: the second call of a layer has another dropout mask") {
    TwoHeads network;
    const Tensor x = Tensor::ones({1, 64});
    const TwoHeads::Both first = network.both(x), second = network.both(x);
    CHECK(network.forward_count() == 2);
    CHECK(first.left.to_vector() != first.right.to_vector());
    CHECK(first.left.to_vector() != second.left.to_vector());
    network.set_forward_count(0);
    CHECK(network.both(x).right.to_vector() == first.right.to_vector());
}
