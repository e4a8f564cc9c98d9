#include <algorithm>

#include "kernels/step.hpp"

namespace liven::kernels {

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

Choice choose(const Problem& problem, Isa isa) {
    Choice choice;
    double best = 0;
    for (const KernelInfo& kernel : registry()) {
        if (kernel.op != problem.op || kernel.isa != isa) continue;
        std::string reason = kernel.refuse(problem);
        if (!reason.empty()) {
            choice.refused.emplace_back(&kernel, std::move(reason));
            continue;
        }
        const double cost = kernel.cost(problem);
        if (choice.chosen && cost >= best) continue;
        choice.chosen = &kernel;
        best = cost;
    }
    return choice;
}

}  // namespace liven::kernels
