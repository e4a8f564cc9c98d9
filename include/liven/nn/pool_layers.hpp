#pragma once

#include "liven/nn/module.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/resize.hpp"

/// Layers without parameters that change an image's size. MaxPool2d is in layers.hpp.
namespace liven {

class AvgPool2d : public Module {
public:
    AvgPool2d(Module& parent, std::string_view name, const PoolOptions& options = {})
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "AveragePooling2D"; }

protected:
    Tensor forward(Tensor x) override { return avg_pool(x, options_); }

private:
    PoolOptions options_;
};

/// N x H x W x C -> N x C.
class GlobalAvgPool : public Module {
public:
    GlobalAvgPool(Module& parent, std::string_view name) : Module(parent, name) {}
    std::string_view type() const override { return "GlobalAveragePooling2D"; }

protected:
    Tensor forward(Tensor x) override { return global_avg_pool(x); }
};

/// N x H x W x C -> N x C.
class GlobalMaxPool : public Module {
public:
    GlobalMaxPool(Module& parent, std::string_view name) : Module(parent, name) {}
    std::string_view type() const override { return "GlobalMaxPooling2D"; }

protected:
    Tensor forward(Tensor x) override { return global_max_pool(x); }
};

/// Every pixel `factor` times in each direction.
class Upsample : public Module {
public:
    Upsample(Module& parent, std::string_view name, int64_t factor = 2) : Module(parent, name), factor_(factor) {}
    std::string_view type() const override { return "UpSampling2D"; }

protected:
    Tensor forward(Tensor x) override { return upsample(x, factor_); }

private:
    int64_t factor_;
};

}  // namespace liven
