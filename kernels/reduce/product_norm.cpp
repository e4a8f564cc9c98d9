#include <algorithm>
#include <string>

#include "kernels/reduce/table.hpp"
#include "liven/core/error.hpp"

// |a' b|^2 = sum (a a') * (b b'): blocks of columns give partial Gram matrices, which one unit adds in their order. All
// in double: where the rows of b sum to zero, as gradients behind a batch-norm do, almost everything cancels.

namespace liven::kernels {
namespace {

constexpr int64_t block_columns = 4096;
constexpr int64_t most_rows = 64;
constexpr int64_t strip_columns = 256;  // that ReduceTable::gram takes together; in bf16, widened before

int64_t blocks_of(int64_t columns) { return (columns + block_columns - 1) / block_columns; }

class ProductNormStep final : public Step {
public:
    ProductNormStep(const Operand& a, const Operand& b, const ReduceTable& table)
        : table_(table),
          rows_(a.shape[0]),
          columns_{a.shape[1], b.shape[1]},
          bf16_{a.dtype == DType::bf16, b.dtype == DType::bf16} {
        for (size_t i = 0; i < 2; ++i) blocks_[i] = blocks_of(columns_[i]);
        if (bf16_[0] || bf16_[1]) scratch_bytes = static_cast<size_t>(rows_ * strip_columns) * sizeof(float);
        stages = {Stage{.units = blocks_[0] + blocks_[1]}, Stage{}};
        workspace_bytes = static_cast<size_t>((blocks_[0] + blocks_[1]) * rows_ * rows_) * sizeof(double);
    }

    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override {
        double* sums = reinterpret_cast<double*>(buffers.workspace);
        if (stage == 0)
            add_block(unit, buffers, sums + unit * rows_ * rows_);
        else
            *static_cast<float*>(buffers.outputs[0]) = static_cast<float>(norm(sums));
    }

private:
    void add_block(int64_t unit, const Buffers& buffers, double* sums) const {
        const size_t operand = unit < blocks_[0] ? 0 : 1;
        const int64_t first = (operand == 0 ? unit : unit - blocks_[0]) * block_columns;
        const int64_t columns = columns_[operand], last = std::min(columns, first + block_columns);
        std::fill_n(sums, rows_ * rows_, 0.0);
        if (!bf16_[operand]) {
            const auto* values = static_cast<const float*>(buffers.inputs[operand]);
            return table_.gram(values + first, columns, rows_, last - first, sums);
        }
        const auto* values = static_cast<const uint16_t*>(buffers.inputs[operand]);
        auto* widened = reinterpret_cast<float*>(buffers.scratch);
        for (int64_t c = first; c < last; c += strip_columns) {
            const int64_t width = std::min(strip_columns, last - c);
            table_.widen(values + c, columns, rows_, width, widened);
            table_.gram(widened, width, rows_, width, sums);
        }
    }

    double norm(const double* sums) const {
        double total = 0;
        for (int64_t r = 0; r < rows_; ++r)
            for (int64_t c = r; c < rows_; ++c) {
                double factor[2] = {0, 0};
                for (int64_t block = 0; block < blocks_[0] + blocks_[1]; ++block)
                    factor[block < blocks_[0] ? 0 : 1] += sums[(block * rows_ + r) * rows_ + c];
                total += (r == c ? 1 : 2) * factor[0] * factor[1];
            }
        // Rounding may leave a little less than nothing of a product that is zero; NaN passes.
        return total < 0 ? 0 : total;
    }

    const ReduceTable& table_;
    int64_t rows_, columns_[2], blocks_[2] = {0, 0};
    bool bf16_[2];
};

std::string refuse(const Problem& problem) {
    if (problem.inputs.size() != 2 || problem.outputs.size() != 1) return "expects two inputs and one output";
    if (problem.prologue[0] || problem.prologue[1] || problem.epilogue) return "takes no programs";
    if (problem.outputs[0].dtype != DType::f32) return "the result is not f32";
    for (const Operand& operand : problem.inputs)
        if ((operand.dtype != DType::f32 && operand.dtype != DType::bf16) || operand.shape.rank() != 2 ||
            !operand.dense())
            return "expects dense matrices in f32 or bf16";
    const int64_t rows = problem.inputs[0].shape[0];
    if (rows < 1 || rows > most_rows) return "takes 1 to 64 rows, not " + std::to_string(rows);
    return {};
}

double cost(const Problem& problem) {
    const auto rows = static_cast<double>(problem.inputs[0].shape[0]);
    return rows * static_cast<double>(problem.inputs[0].shape.count() + problem.inputs[1].shape.count()) * 1e-12;
}

std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    if (std::string reason = refuse(problem); !reason.empty()) throw Error(problem.op, reason);
    return std::make_unique<ProductNormStep>(problem.inputs[0], problem.inputs[1], reduce_table(isa));
}

}  // namespace

void register_product_norm(std::vector<KernelInfo>& out) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
        out.push_back({.op = "product_norm",
                       .name = "product_norm_gram_f64",
                       .isa = isa,
                       .tile = "4 x 4 pairs of rows",
                       .takes = "dense matrices of 1 to 64 rows in f32 or bf16, without programs",
                       .refuse = refuse,
                       .cost = cost,
                       .make = make});
}

}  // namespace liven::kernels
