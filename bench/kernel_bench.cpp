// Every registered kernel over the operations of the models (bench/shapes), each instruction set, one and two threads,
// weights in cache (hot) or flushed out of it (cold). See bench/support/session.hpp for the options and
// bench/support/rounds.hpp for how a share of the peak is measured.
#include <memory>

#include "bench/support/session.hpp"
#include "bench/support/step_work.hpp"

namespace {

using namespace liven;
using namespace liven::bench;

/// The problem must outlive the step that was made of it.
struct Prepared {
    LineProblem problem;
    StepWork step;
    Prepared(const ShapeLine& line, const kernels::KernelInfo& kernel, Team& team)
        : problem(line), step(problem.problem(), kernel, team) {}
    void run() { step.run(); }
};

Session::Made make(const Entry& entry, const kernels::KernelInfo& kernel, Stopwatch& watch) {
    const auto prepared = std::make_shared<Prepared>(*entry.line, kernel, watch.team());
    Session::Made result = made(*entry.line, prepared);
    if (entry.cold_weights) result.work.prepare = [prepared] { prepared->step.chill(prepared->problem.weights()); };
    return result;
}

/// Every kernel that takes the line.
void add_line(Session& session, const Shapes& model, const ShapeLine& line, int threads) {
    const LineProblem problem(line);
    for (const kernels::KernelInfo& kernel : kernels::registry()) {
        if (!session.has(kernel.isa) || kernel.op != problem.problem().op || !kernel.refuse(problem.problem()).empty())
            continue;
        const bool direct = kernel.name.find("winograd") == std::string_view::npos;
        for (const bool cold : {false, true}) {
            if (cold && problem.weights() < 0) continue;
            const Entry entry{.engine = "liven",
                              .kernel = std::string(kernel.name),
                              .model = model.model,
                              .line = &line,
                              .cold_weights = cold,
                              .direct = direct};
            session.add(entry, threads, kernel.isa,
                        [=, &kernel](Stopwatch& watch) { return make(entry, kernel, watch); });
        }
    }
}

}  // namespace

int main(int argc, char** argv) { return run_lines("kernel_bench", argc, argv, add_line); }
