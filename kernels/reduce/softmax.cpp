#include <algorithm>
#include <string>

#include "kernels/reduce/table.hpp"
#include "kernels/rounding.hpp"
#include "liven/core/error.hpp"

// softmax and log_softmax over the last axis: for each row the maximum, the exponentials with their sum, the scale.
// Errors against double, in units in the last place (tests/kernels/reduce_test.cpp holds them): softmax 4, and as many
// more as x lies below the row's maximum, since their difference is rounded; log_softmax 2, of 1 where it is less.

namespace liven::kernels {
namespace {

constexpr int64_t unit_values = 32 * 1024;

class SoftmaxStep final : public Step {
public:
    SoftmaxStep(const Operand& src, const Operand& dst, ReduceTable::Rows rows)
        : src_stride_(src.pixel_stride), dst_stride_(dst.pixel_stride), channels_(src.channels()), rows_(rows) {
        const bool by_sample = src.shape.rank() >= 3;
        const int64_t samples = by_sample ? src.shape[0] : 1;
        sample_rows_ = src.shape.count() / channels_ / samples;
        unit_rows_ = std::clamp<int64_t>(unit_values / channels_, 1, sample_rows_);
        units_per_sample_ = ceil_div(sample_rows_, unit_rows_);
        stages = {Stage{.units = samples * units_per_sample_, .samples = samples}};
    }

    void run(int, int64_t unit, const Buffers& buffers) const noexcept override {
        const int64_t start = unit % units_per_sample_ * unit_rows_;
        const int64_t row = unit / units_per_sample_ * sample_rows_ + start;
        rows_(static_cast<float*>(buffers.outputs[0]) + row * dst_stride_, dst_stride_,
              static_cast<const float*>(buffers.inputs[0]) + row * src_stride_, src_stride_,
              std::min(unit_rows_, sample_rows_ - start), channels_);
    }

private:
    int64_t src_stride_, dst_stride_, channels_;
    ReduceTable::Rows rows_;
    int64_t sample_rows_ = 1, unit_rows_ = 1, units_per_sample_ = 1;
};

std::string refuse(const Problem& problem) {
    if (problem.inputs.size() != 1 || problem.outputs.size() != 1) return "expects one input and one output";
    if (problem.prologue[0] || problem.epilogue) return "takes no programs";
    const Operand &src = problem.inputs[0], &dst = problem.outputs[0];
    if (src.dtype != DType::f32 || dst.dtype != DType::f32) return "expects f32";
    if (src.shape.rank() == 0 || src.shape.count() == 0) return "expects rows, got " + src.shape.str();
    if (src.shape != dst.shape) return "expects a result of shape " + src.shape.str() + ", got " + dst.shape.str();
    return {};
}

double cost(const Problem& problem) { return static_cast<double>(problem.inputs[0].shape.count()) * 1e-11; }

template <bool logarithm>
std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    if (std::string reason = refuse(problem); !reason.empty()) throw Error(problem.op, reason);
    const ReduceTable& table = reduce_table(isa);
    return std::make_unique<SoftmaxStep>(problem.inputs[0], problem.outputs[0],
                                         logarithm ? table.log_softmax : table.softmax);
}

}  // namespace

void register_softmax(std::vector<KernelInfo>& out) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
        KernelInfo info{.op = "softmax",
                        .name = "softmax_rows_f32",
                        .isa = isa,
                        .tile = "row",
                        .takes = "f32 over the last axis, without programs",
                        .refuse = refuse,
                        .cost = cost,
                        .make = make<false>};
        out.push_back(info);
        info.op = "log_softmax";
        info.name = "log_softmax_rows_f32";
        info.make = make<true>;
        out.push_back(info);
    }
}

}  // namespace liven::kernels
