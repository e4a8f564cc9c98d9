#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "liven/nn/module.hpp"

namespace liven {

/// Modules one after the other.
///
///     Sequential model;
///     model.add<Conv2d>("conv1", Conv2d::Options{.filters = 8});
///     model.add<Activation>("relu1", Activation::Options{});
class Sequential : public Module {
public:
    /// A model of its own.
    Sequential() = default;
    /// A part of another module.
    Sequential(Module& parent, std::string_view name) : Module(parent, name) {}
    std::string_view type() const override { return "Sequential"; }

    /// Appends Layer(*this, name, arguments...) and returns it.
    template <class Layer, class... Arguments>
    Layer& add(std::string_view name, Arguments&&... arguments) {
        auto layer = std::make_unique<Layer>(*this, name, std::forward<Arguments>(arguments)...);
        Layer& added = *layer;
        layers_.push_back(std::move(layer));
        return added;
    }
    size_t size() const { return layers_.size(); }
    Module& operator[](size_t i) { return *layers_[i]; }

protected:
    Tensor forward(Tensor x) override {
        for (const auto& layer : layers_) x = (*layer)(x);
        return x;
    }

private:
    std::vector<std::unique_ptr<Module>> layers_;
};

}  // namespace liven
