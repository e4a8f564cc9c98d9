#pragma once

#include "kernels/maps/made_map.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// What every weight gradient does: maps are made beforehand where that is cheaper, then partial sums are accumulated,
/// then they are added up.
class WeightGradStep : public Step {
public:
    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept final {
        if (stage < made_.count())
            made_.run(stage, unit, buffers);
        else if (stage == made_.count())
            accumulate(unit, buffers);
        else
            finish(unit, buffers);
    }

protected:
    MadeMaps made_;

private:
    virtual void accumulate(int64_t unit, const Buffers& buffers) const noexcept = 0;
    virtual void finish(int64_t unit, const Buffers& buffers) const noexcept = 0;
};

}  // namespace liven::kernels
