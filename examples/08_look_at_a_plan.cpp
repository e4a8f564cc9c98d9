// What becomes of one phase of AttackNet on its way from recorded operations to a plan.
#include <cstdio>
#include <liven/graph/plan.hpp>
#include <liven/models/attacknet.hpp>
#include <liven/ops/reduce.hpp>
#include <sstream>
#include <string>

using namespace liven;

namespace {

class OnePhase : public Module {
    AttackPhase phase{*this, "1", 16, AttackPhase::Join::add, AttackNetOptions{.dropout = 0.0f}};
    Tensor forward(Tensor x) override { return phase(x); }
};

/// Lines that compute something; those below them say why they stand where they do.
long steps(const std::string& text) {
    std::istringstream lines(text);
    long found = 0;
    for (std::string line; std::getline(lines, line);) found += line.starts_with('%') ? 1 : 0;
    return found;
}

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
    struct Named {
        PlanStage stage;
        const char* name;
    };
    for (const auto& [stage, name] :
         {Named{PlanStage::trace, "trace"}, Named{PlanStage::differentiate, "differentiate"},
          Named{PlanStage::lower, "lower"}, Named{PlanStage::simplify, "simplify"}, Named{PlanStage::fuse, "fuse"}}) {
        const std::string text = explain(traced, options, {.after = stage});
        std::printf("---- after %s: %ld steps\n", name, steps(text));
        if (stage == PlanStage::trace || stage == PlanStage::fuse) std::printf("%s\n", text.c_str());
        if (stage == PlanStage::simplify) simple = steps(text);
        if (stage == PlanStage::fuse) fused = steps(text);
    }
    std::printf("expected: after fuse fewer steps than after simplify\n");
    return fused < simple ? 0 : 1;
}
