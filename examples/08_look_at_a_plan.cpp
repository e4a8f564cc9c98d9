// What becomes of one phase of AttackNet on its way from recorded operations to a plan.
#include <algorithm>
#include <cstdio>
#include <liven/graph/plan.hpp>
#include <liven/models/attacknet.hpp>
#include <liven/ops/reduce.hpp>
#include <string>

using namespace liven;

namespace {

class OnePhase : public Module {
    AttackPhase phase{*this, "1", 16, AttackPhase::Join::add, AttackNetOptions{.dropout = 0.0f}};
    Tensor forward(Tensor x) override { return phase(x); }
};

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

int main() {
    OnePhase model;
    const Tensor images = Tensor::ones({8, 64, 64, 3});
    model.build(images.shape());

    // A training step without the update: the loss and the gradients of all parameters.
    const Tensor loss = mean(square(model(images)));
    const Gradients g = gradients(loss, model.parameters());
    std::vector<Value> wanted{loss.value()};
    for (size_t i = 0; i < g.size(); ++i) wanted.push_back(g.value(i));

    const Graph traced = Engine::current().graph_of(wanted);
    const EngineOptions options = Engine::current().options();
    long simple = 0, fused = 0;
    for (const PlanStage stage :
         {PlanStage::trace, PlanStage::differentiate, PlanStage::lower, PlanStage::simplify, PlanStage::fuse}) {
        static constexpr const char* kNames[] = {"trace", "differentiate", "lower", "simplify", "fuse"};
        const std::string text = explain(traced, options, {.after = stage});
        std::printf("---- after %s: %ld lines\n", kNames[static_cast<int>(stage)], lines(text));
        if (stage == PlanStage::trace || stage == PlanStage::fuse) std::printf("%s\n", text.c_str());
        if (stage == PlanStage::simplify) simple = lines(text);
        if (stage == PlanStage::fuse) fused = lines(text);
    }
    std::printf("expected: after fuse fewer lines than after simplify\n");
    return fused < simple ? 0 : 1;
}
