#include <algorithm>
#include <string>

#include "kernels/reduce/table.hpp"
#include "liven/core/error.hpp"

// one_hot: i32 class indices to rows with a single 1; an index outside the classes gives a row of zeros.

namespace liven::kernels {
namespace {

constexpr int64_t unit_values = 64 * 1024;

class OneHotStep final : public Step {
public:
    explicit OneHotStep(const Operand& dst) : stride_(dst.pixel_stride), classes_(dst.channels()) {
        rows_ = dst.shape.count() / classes_;
        unit_rows_ = std::clamp<int64_t>(unit_values / classes_, 1, rows_);
        stages = {Stage{.units = (rows_ + unit_rows_ - 1) / unit_rows_, .samples = 1}};
    }

    void run(int, int64_t unit, const Buffers& buffers) const noexcept override {
        const auto* index = static_cast<const int32_t*>(buffers.inputs[0]);
        auto* dst = static_cast<float*>(buffers.outputs[0]);
        const int64_t end = std::min((unit + 1) * unit_rows_, rows_);
        for (int64_t row = unit * unit_rows_; row < end; ++row) {
            std::fill_n(dst + row * stride_, classes_, 0.0f);
            if (index[row] >= 0 && index[row] < classes_) dst[row * stride_ + index[row]] = 1.0f;
        }
    }

private:
    int64_t stride_, classes_;
    int64_t rows_ = 1, unit_rows_ = 1;
};

std::string refuse(const Problem& problem) {
    if (problem.inputs.size() != 1 || problem.outputs.size() != 1) return "expects one input and one output";
    if (problem.prologue[0] || problem.epilogue) return "takes no programs";
    const Operand &indices = problem.inputs[0], &dst = problem.outputs[0];
    if (indices.dtype != DType::i32 || dst.dtype != DType::f32) return "expects i32 indices and an f32 result";
    if (dst.shape.rank() == 0 || dst.shape.count() == 0 || !indices.dense() ||
        indices.shape.count() * dst.channels() != dst.shape.count())
        return "expects a row a dense index, got " + indices.shape.str() + " indices and " + dst.shape.str();
    return {};
}

double cost(const Problem& problem) { return static_cast<double>(problem.outputs[0].shape.count()) * 1e-12; }

std::unique_ptr<Step> make(const Problem& problem, Isa) {
    if (std::string reason = refuse(problem); !reason.empty()) throw Error(problem.op, reason);
    return std::make_unique<OneHotStep>(problem.outputs[0]);
}

}  // namespace

void register_one_hot(std::vector<KernelInfo>& out) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
        out.push_back({.op = "one_hot",
                       .name = "one_hot_rows_f32",
                       .isa = isa,
                       .tile = "row",
                       .takes = "dense i32 indices, a row of f32 each, without programs",
                       .refuse = refuse,
                       .cost = cost,
                       .make = make});
}

}  // namespace liven::kernels
