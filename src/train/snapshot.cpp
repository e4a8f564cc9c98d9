#include "snapshot.hpp"

#include <utility>

#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"

namespace liven {
namespace {

void add_prefixed(NamedTensors& into, const std::string& prefix, std::span<const State> states) {
    for (const State& state : states)
        into.emplace(prefix + std::string(state.name()), HostTensor(state.shape(), state.tensor().data()));
}

void take_prefixed(const NamedTensors& from, const std::string& prefix, std::span<const State> states,
                   const std::string& where) {
    for (State state : states) {
        const auto found = from.find(prefix + std::string(state.name()));
        if (found == from.end() || !(found->second.shape == state.shape()))
            throw Error(where, "the checkpoint lacks " + prefix + std::string(state.name()));
        state.assign(found->second.values<float>());
    }
}

}  // namespace

Checkpoint Snapshot::take() {
    progress.optimizer_steps = step.optimizer().steps();
    progress.forward_count = step.model().forward_count();
    progress.cursor = data.train().cursor();
    Checkpoint checkpoint{.progress = progress,
                          .isa = std::string(name_of(active_isa())),
                          .settings = settings.to_config().str(),
                          .data = data.fingerprint(),
                          .tensors = {},
                          .callbacks = callbacks.states()};
    add_prefixed(checkpoint.tensors, "model/", step.model().states());
    add_prefixed(checkpoint.tensors, "optimizer/", step.optimizer().states());
    return checkpoint;
}

void Snapshot::restore(Checkpoint checkpoint, const std::string& run) {
    if (checkpoint.data != data.fingerprint())
        throw Error(run, "the data set is not the one this run was started with",
                    "restore it, or start a new run with --out");
    const std::string isa(name_of(active_isa()));
    if (checkpoint.isa != isa)
        log_warning("this run was started with " + checkpoint.isa + " kernels and goes on with " + isa +
                    ": the result will not be bit-identical. Hint: --isa " + checkpoint.isa);
    take_prefixed(checkpoint.tensors, "model/", step.model().states(), run);
    take_prefixed(checkpoint.tensors, "optimizer/", step.optimizer().states(), run);
    progress = checkpoint.progress;
    step.optimizer().set_steps(progress.optimizer_steps);
    step.model().set_forward_count(progress.forward_count);
    data.train().seek(progress.cursor);
    callbacks.restore(std::move(checkpoint.callbacks));
}

}  // namespace liven
