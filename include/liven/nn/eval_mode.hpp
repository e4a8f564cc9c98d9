#pragma once

#include "liven/nn/module.hpp"

namespace liven {

/// Has a model in inference mode while it lives.
class EvalMode {
public:
    explicit EvalMode(Module& model) : model_(model), training_(model.training()) { model.eval(); }
    ~EvalMode() { model_.train(training_); }
    EvalMode(const EvalMode&) = delete;
    EvalMode& operator=(const EvalMode&) = delete;

private:
    Module& model_;
    bool training_;
};

}  // namespace liven
