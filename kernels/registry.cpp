#include <algorithm>

#include "kernels/step.hpp"
#include "kernels/tuning.hpp"

namespace liven::kernels {
namespace {

/// The times of all these kernels over the problem; none when one of them was not measured, since seconds and
/// estimates do not compare.
std::vector<double> measured_costs(const Problem& problem, Isa isa, const std::vector<const KernelInfo*>& kernels) {
    std::vector<double> costs;
    const std::shared_ptr<const TuningTable> table = active_tuning();
    if (kernels.size() < 2 || table->size() == 0) return costs;
    const std::string key = problem_key(problem);
    for (const KernelInfo* kernel : kernels) {
        const auto seconds = table->seconds({.isa = isa, .kernel = std::string(kernel->name), .problem = key});
        if (!seconds) return {};
        costs.push_back(*seconds);
    }
    return costs;
}

}  // namespace

double values_moved(const Problem& problem) {
    double values = 0;
    for (const Operand& operand : problem.inputs) values += static_cast<double>(operand.shape.count());
    for (const Operand& operand : problem.outputs) values += static_cast<double>(operand.shape.count());
    return values;
}

bool reads_bf16(const Program& program, const Problem& problem) {
    return std::any_of(program.inputs.begin(), program.inputs.end(), [&](const ProgramInput& input) {
        return input.access == Access::full && input.operand >= 0 &&
               problem.inputs[static_cast<size_t>(input.operand)].dtype == DType::bf16;
    });
}

const std::vector<KernelInfo>& registry() {
    static const std::vector<KernelInfo> all = [] {
        std::vector<KernelInfo> out;
        register_pointwise(out);
        register_reduce(out);
        register_gemm(out);
        register_conv2d_direct(out);
        register_winograd(out);
        register_pool(out);
        register_resize(out);
        register_move(out);
        return out;
    }();
    return all;
}

std::vector<const KernelInfo*> accepting(const Problem& problem, Isa isa,
                                         std::vector<std::pair<const KernelInfo*, std::string>>* refused) {
    std::vector<const KernelInfo*> kernels;
    for (const KernelInfo& kernel : registry()) {
        if (kernel.op != problem.op || kernel.isa != isa) continue;
        std::string reason = kernel.refuse(problem);
        if (reason.empty())
            kernels.push_back(&kernel);
        else if (refused)
            refused->emplace_back(&kernel, std::move(reason));
    }
    return kernels;
}

Choice choose(const Problem& problem, Isa isa) {
    Choice choice;
    const std::vector<const KernelInfo*> kernels = accepting(problem, isa, &choice.refused);
    if (kernels.empty()) return choice;
    std::vector<double> costs = measured_costs(problem, isa, kernels);
    choice.measured = !costs.empty();
    if (!choice.measured) {
        for (const KernelInfo* kernel : kernels) costs.push_back(kernel->cost(problem));
        if (kernels.size() > 1) choice.near = correct_by_measurements(problem, isa, kernels, costs);
    }
    const auto best = static_cast<size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
    choice.chosen = kernels[best];
    for (size_t i = 0; i < kernels.size(); ++i)
        if (i != best) choice.slower.emplace_back(kernels[i], costs[i] / costs[best]);
    return choice;
}

}  // namespace liven::kernels
