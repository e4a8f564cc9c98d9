#pragma once

#include "liven/nn/layers.hpp"
#include "liven/nn/sequential.hpp"
#include "tests/golden/formula.hpp"
#include "tests/golden/golden_file.hpp"

namespace liven::testing {

/// The network of tests/golden/make_explain.py.
inline const Shape small_input{12, 10, 3};
struct SmallNetwork : Sequential {
    SmallNetwork() {
        add<Conv2d>("conv1", Conv2d::Options{.filters = 6, .kernel = 3});
        add<Activation>("leaky1", Activation::Options{.kind = Activation::Kind::leaky_relu});
        add<BatchNorm>("bn");
        add<Conv2d>("conv2", Conv2d::Options{.filters = 8, .kernel = 3, .stride = 2});
        add<Activation>("relu2", Activation::Options{});
        add<MaxPool2d>("pool");
        add<Flatten>("flatten");
        add<Dense>("fc1", Dense::Options{.units = 7, .activation = Activation::Kind::relu});
        add<Dense>("fc2", Dense::Options{.units = 2});
        build(batched(1, small_input));
        for (State state : states()) state.assign(golden::parameter(state.name(), state.shape(), salt).values<float>());
        eval();
    }
    static constexpr int64_t salt = 5;

    static Tensor sample() {
        const Shape shape = batched(1, small_input);
        std::vector<float> values;
        for (int64_t i = 0; i < shape.count(); ++i) values.push_back(golden::uniform(golden::key("explain", salt), i));
        return Tensor::from(values, shape);
    }
};

}  // namespace liven::testing
