#include "kernels/pointwise/finalize_slots.hpp"

#include <algorithm>
#include <array>

#include "kernels/reduce/moments.hpp"

namespace liven::kernels {
namespace {

/// Merged slots of up to finalize_block channels side by side.
struct Totals {
    std::array<double, finalize_block> count{}, mean{}, m2{};  // a sum is kept in mean

    void add(const double* sums, int64_t channels) {
        for (int64_t c = 0; c < channels; ++c) mean[static_cast<size_t>(c)] += sums[c];
    }

    void merge(const double* counts, const double* means, const double* m2s, int64_t channels) {
        merge_moments({count.data(), mean.data(), m2.data()}, counts, means, m2s, channels);
    }
};

/// Writes one reduction's results from all partial slots.
class Finalizer {
public:
    Finalizer(const ProgramView& view, const Buffers& buffers, const ViewReduction& reduction, const double* partials)
        : view_(view),
          partials_(partials + reduction.slot_offset),
          moments_(reduction.kind == Reduction::Kind::moments) {
        first_ = static_cast<float*>(buffers.outputs[reduction.operand]);
        if (moments_) second_ = static_cast<float*>(buffers.outputs[reduction.operand2]);
    }

    void everything(int64_t slots) const {
        Totals all;
        for (int64_t c = 0; c < view_.channels; c += finalize_block) {
            const int64_t width = std::min(finalize_block, view_.channels - c);
            const Totals block = total(0, slots, c, width);
            for (size_t i = 0; i < static_cast<size_t>(width); ++i) {
                if (moments_)
                    all.merge(&block.count[i], &block.mean[i], &block.m2[i], 1);
                else
                    all.add(&block.mean[i], 1);
            }
        }
        write(all, 1, 0);
    }

    /// Channels [channel, +channels) of slots [slot, +slots) to the results from `to` on.
    void by_channel(int64_t slot, int64_t slots, int64_t channel, int64_t channels, int64_t to) const {
        for (int64_t c = 0; c < channels; c += finalize_block) {
            const int64_t width = std::min(finalize_block, channels - c);
            write(total(slot, slots, channel + c, width), width, to + c);
        }
    }

private:
    Totals total(int64_t slot, int64_t slots, int64_t channel, int64_t channels) const {
        Totals totals;
        const int64_t plane = view_.channels;
        for (int64_t s = slot; s < slot + slots; ++s) {
            const double* from = partials_ + s * view_.partial_doubles + channel;
            if (moments_)
                totals.merge(from, from + plane, from + 2 * plane, channels);
            else
                totals.add(from, channels);
        }
        return totals;
    }

    void write(const Totals& totals, int64_t channels, int64_t to) const {
        for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
            first_[to + static_cast<int64_t>(c)] = static_cast<float>(totals.mean[c]);
            if (!moments_) continue;
            second_[to + static_cast<int64_t>(c)] = static_cast<float>(totals.m2[c] / std::max(totals.count[c], 1.0));
        }
    }

    const ProgramView& view_;
    const double* partials_;
    bool moments_;
    float *first_ = nullptr, *second_ = nullptr;
};

}  // namespace

void clear_slot(const ProgramView& view, double* slot, int64_t first_channel, int64_t channels) noexcept {
    if (channels == 0) channels = view.channels;
    for (int64_t plane = 0; plane < view.partial_doubles; plane += view.channels)
        std::fill_n(slot + plane + first_channel, channels, 0.0);
}

void finalize_slots(const ProgramView& view, const Buffers& buffers, const double* partials, int64_t slots,
                    int64_t first_channel, int64_t channels) noexcept {
    if (channels == 0) channels = view.channels;
    for (int32_t i = 0; i < view.reduction_count; ++i) {
        const Finalizer finalizer(view, buffers, view.reductions[i], partials);
        switch (view.reductions[i].over) {
            case Reduction::Over::everything:
                if (first_channel == 0) finalizer.everything(slots);
                break;
            case Reduction::Over::pixels_and_samples:
                finalizer.by_channel(0, slots, first_channel, channels, first_channel);
                break;
            case Reduction::Over::pixels: {
                const int64_t each = slots / view.samples;
                for (int64_t n = 0; n < view.samples; ++n)
                    finalizer.by_channel(n * each, each, first_channel, channels, n * view.channels + first_channel);
                break;
            }
        }
    }
}

}  // namespace liven::kernels
