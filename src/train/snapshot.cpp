#include "snapshot.hpp"

#include <cstdio>
#include <utility>

#include "kernels/native_bf16.hpp"
#include "kernels/numerics.hpp"
#include "kernels/tuning.hpp"
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

std::string tuning_name() {
    const uint64_t hash = kernels::active_tuning()->hash();
    char text[20];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    return hash == 0 ? "none" : text;
}

/// The ISA, and what of it only some CPUs have.
std::string isa_name(const TrainSettings& settings) {
    const bool dots = settings.dtype == "bf16" && kernels::native_bf16(active_isa());
    return std::string(name_of(active_isa())) + (dots ? " with bf16 dot products" : "");
}

/// Other kernels, or kernels chosen otherwise, round otherwise.
void warn_of_other_bits(const Checkpoint& checkpoint, const TrainSettings& settings) {
    const auto warn = [](const std::string& was, const std::string& is, const std::string& hint) {
        log_warning("this run was started with " + was + " and goes on with " + is +
                    ": the result will not be bit-identical." + hint);
    };
    const std::string isa = isa_name(settings), tuning = tuning_name(),
                      numerics = std::to_string(kernels::numerics_version);
    if (checkpoint.isa != isa)
        warn(checkpoint.isa + " kernels", isa, " Hint: --isa " + checkpoint.isa.substr(0, checkpoint.isa.find(' ')));
    if (checkpoint.tuning != tuning)
        warn("the tuning table " + checkpoint.tuning, tuning, " Hint: LIVEN_TUNING names the table's file");
    if (checkpoint.numerics != numerics) warn("kernels of numerics version " + checkpoint.numerics, numerics, "");
}

}  // namespace

Checkpoint Snapshot::take() {
    progress.optimizer_steps = step.optimizer().steps();
    progress.forward_count = step.model().forward_count();
    progress.cursor = data.train().cursor();
    Checkpoint checkpoint{.progress = progress,
                          .isa = isa_name(settings),
                          .tuning = tuning_name(),
                          .numerics = std::to_string(kernels::numerics_version),
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
    warn_of_other_bits(checkpoint, settings);
    take_prefixed(checkpoint.tensors, "model/", step.model().states(), run);
    take_prefixed(checkpoint.tensors, "optimizer/", step.optimizer().states(), run);
    progress = checkpoint.progress;
    step.optimizer().set_steps(progress.optimizer_steps);
    step.model().set_forward_count(progress.forward_count);
    data.train().seek(progress.cursor);
    callbacks.restore(std::move(checkpoint.callbacks));
}

}  // namespace liven
