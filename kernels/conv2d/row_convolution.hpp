#pragma once

#include "kernels/conv2d/chunks.hpp"
#include "kernels/conv2d/taps.hpp"
#include "kernels/maps/made_map.hpp"
#include "kernels/maps/row_sink.hpp"
#include "kernels/row_reach.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// What every convolution that walks down the rows of its result does: weights are packed, rows are computed, and sums
/// that ride along are finished.
class RowConvolution : public Step {
public:
    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept final {
        if (stage == 0)
            pack(unit, buffers);
        else if (stage <= made_.count())
            made_.run(stage - 1, unit, buffers);
        else if (stage == made_.count() + 1)
            compute(unit, buffers);
        else
            sink().finalize(unit, buffers);
    }

protected:
    /// `pack_units` units pack what input `weights` holds; a unit of rows is a chunk of a sample of `result`, which
    /// meets source rows along `rows`, in one of so many `parts` of the channels, all samples of a part before the
    /// next; `sums` are finished at the end.
    void set_stages(int64_t pack_units, int weights, const Shape& result, const RowChunks& chunks, const TapAxis& rows,
                    const RowSink& sums, int64_t parts = 1) {
        stages = {{.units = pack_units, .reads = weights}};
        made_.add_stages(*this);
        stages.push_back({.units = result[0] * parts * chunks.count,
                          .samples = parts == 1 ? result[0] : 1,
                          .completes_maps = true,
                          .in_row_order = parts == 1,
                          .reach = parts > 1 ? 1.0 : row_reach(result[1], chunks.rows, rows.extent, [&](int64_t y) {
                              return rows.sources(0, y).last;
                          })});
        if (sums.reduces()) stages.push_back({.units = sums.finalize_units(), .samples = 1});
    }

    MadeMaps made_;  ///< what a prologue makes once for all parts

private:
    virtual void pack(int64_t unit, const Buffers& buffers) const noexcept = 0;
    virtual void compute(int64_t unit, const Buffers& buffers) const noexcept = 0;
    virtual const RowSink& sink() const = 0;
};

}  // namespace liven::kernels
