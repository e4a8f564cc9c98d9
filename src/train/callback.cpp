#include "liven/train/callback.hpp"

#include <utility>

namespace liven {
namespace {

class EachStep : public Callback {
public:
    explicit EachStep(std::function<void(Training&, const StepReport&)> function) : function_(std::move(function)) {}
    void on_step(Training& training, const StepReport& report) override { function_(training, report); }

private:
    std::function<void(Training&, const StepReport&)> function_;
};

class EachEpoch : public Callback {
public:
    explicit EachEpoch(std::function<void(Training&, const EpochReport&)> function) : function_(std::move(function)) {}
    void on_epoch_end(Training& training, const EpochReport& report) override { function_(training, report); }

private:
    std::function<void(Training&, const EpochReport&)> function_;
};

}  // namespace

std::unique_ptr<Callback> each_step(std::function<void(Training&, const StepReport&)> function) {
    return std::make_unique<EachStep>(std::move(function));
}

std::unique_ptr<Callback> each_epoch(std::function<void(Training&, const EpochReport&)> function) {
    return std::make_unique<EachEpoch>(std::move(function));
}

}  // namespace liven
