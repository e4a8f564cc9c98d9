#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "kernels/by_isa.hpp"
#include "kernels/reduce/moments.hpp"
#include "kernels/reduce/table.hpp"
#include "kernels/rounding.hpp"
#include "liven/core/attributes.hpp"
#include "liven/core/error.hpp"

// reduce_sum, reduce_max and moments over any axes.
//
// How it works. Neighbouring axes of one kind (kept or reduced) become one. What is left is
//     outer axes, kept and reduced | run: the last reduced axis | channels: a kept, contiguous last axis or 1
// and the vector loops take `pixels` of a run by a block of channels. A reduction too long for one unit is cut along
// the reduced axes by its length alone; the pieces go to slots that a second stage merges in order.

namespace liven::kernels {
namespace {

constexpr int64_t unit_values = 64 * 1024;
constexpr int64_t widest_block = 1024;  // channels whose running sums stay in L1

enum class Kind { sum, maximum, moments };

int64_t planes_of(Kind kind) { return kind == Kind::moments ? 3 : 1; }

struct Axis {
    int64_t extent = 1, stride = 1;
    bool reduced = false;
};

int64_t count_of(const std::vector<Axis>& axes) {
    int64_t count = 1;
    for (const Axis& axis : axes) count *= axis.extent;
    return count;
}

/// Where element `index` (row-major over the axes) begins.
int64_t offset_of(const std::vector<Axis>& axes, int64_t index) {
    int64_t offset = 0;
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
        offset += index % axis->extent * axis->stride;
        index /= axis->extent;
    }
    return offset;
}

/// An operand's axes with its strides, those of extent 1 dropped, equals merged.
std::vector<Axis> merged_axes(const Operand& src, uint32_t reduced) {
    std::vector<Axis> axes;  // last axis first
    int64_t stride = 1;
    for (int a = src.shape.rank() - 1; a >= 0; --a) {
        const Axis axis{src.shape[a], stride, (reduced >> a & 1u) != 0};
        stride = a == src.shape.rank() - 1 ? src.pixel_stride : stride * axis.extent;
        if (axis.extent == 1) continue;
        const bool joins = !axes.empty() && axes.back().reduced == axis.reduced &&
                           axis.stride == axes.back().stride * axes.back().extent;
        if (joins)
            axes.back().extent *= axis.extent;
        else
            axes.push_back(axis);
    }
    std::reverse(axes.begin(), axes.end());
    return axes;
}

struct Layout {
    std::vector<Axis> kept, reduced;  ///< outer
    Axis run;
    int64_t channels = 1;

    explicit Layout(std::vector<Axis> axes) {
        if (!axes.empty() && !axes.back().reduced && axes.back().stride == 1) {
            channels = axes.back().extent;
            axes.pop_back();
        }
        if (!axes.empty() && axes.back().reduced) {
            run = axes.back();
            axes.pop_back();
        }
        for (const Axis& axis : axes) (axis.reduced ? reduced : kept).push_back(axis);
    }
};

class ReduceStep final : public Step {
public:
    ReduceStep(Kind kind, const Operand& src, uint32_t axes, Isa isa)
        : kind_(kind), layout_(merged_axes(src, axes)), table_(reduce_table(isa)) {
        kept_ = count_of(layout_.kept);
        length_ = count_of(layout_.reduced) * layout_.run.extent;
        block_ = std::min(layout_.channels, widest_block);
        blocks_ = ceil_div(layout_.channels, block_);
        const int64_t wanted = std::min(ceil_div(length_ * block_, unit_values), length_);
        piece_ = ceil_div(length_, wanted);
        pieces_ = ceil_div(length_, piece_);
        // Samples stay apart when the first axis is kept. Short reductions of one sample share a unit.
        const bool by_sample = src.shape.rank() >= 3 && (axes & 1u) == 0 && kept_ % src.shape[0] == 0;
        const int64_t samples = by_sample ? src.shape[0] : 1;
        sample_kept_ = kept_ / samples;
        group_ = pieces_ > 1 ? 1 : std::clamp<int64_t>(unit_values / (length_ * block_), 1, sample_kept_);
        groups_ = ceil_div(sample_kept_, group_);
        const int64_t units = samples * groups_ * blocks_ * pieces_;
        stages = {Stage{.units = units, .samples = samples}};
        const auto values = static_cast<size_t>(planes_of(kind) * block_);
        scratch_bytes = values * sizeof(double) + 3 * static_cast<size_t>(block_) * sizeof(float);
        if (pieces_ == 1) return;
        stages.push_back(Stage{.units = kept_ * blocks_, .samples = samples});
        workspace_bytes = static_cast<size_t>(units) * values * sizeof(double);
    }

    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override {
        auto* scratch = reinterpret_cast<double*>(buffers.scratch);
        auto* slots = reinterpret_cast<double*>(buffers.workspace);
        if (stage == 1) return merge(unit, slots, scratch, buffers);
        const int64_t piece = unit % pieces_, block = unit / pieces_ % blocks_, group = unit / pieces_ / blocks_,
                      sample = group / groups_, first = sample * sample_kept_ + group % groups_ * group_;
        for (int64_t kept = first; kept < std::min(first + group_, (sample + 1) * sample_kept_); ++kept) {
            double* slot = pieces_ == 1 ? scratch : slots + unit * slot_values();
            accumulate(kept, block, piece, slot, reinterpret_cast<float*>(scratch + slot_values()), buffers);
            if (pieces_ == 1) write(kept, block, slot, buffers);
        }
    }

private:
    int64_t slot_values() const { return planes_of(kind_) * block_; }
    int64_t width_of(int64_t block) const { return std::min(block_, layout_.channels - block * block_); }

    void clear(double* slot) const {
        std::fill_n(slot, slot_values(), kind_ == Kind::maximum ? -std::numeric_limits<double>::infinity() : 0.0);
    }

    /// One piece of one result row into its slot.
    void accumulate(int64_t kept, int64_t block, int64_t piece, double* slot, float* running,
                    const Buffers& buffers) const {
        clear(slot);
        const float* base =
            static_cast<const float*>(buffers.inputs[0]) + offset_of(layout_.kept, kept) + block * block_;
        const Axis& axis = layout_.run;
        const int64_t end = std::min((piece + 1) * piece_, length_);
        for (int64_t i = piece * piece_; i < end;) {
            const int64_t start = i % axis.extent, pixels = std::min(axis.extent - start, end - i);
            const float* src = base + offset_of(layout_.reduced, i / axis.extent) + start * axis.stride;
            kernel()(src, pixels, axis.stride, width_of(block), running, slot);
            i += pixels;
        }
    }

    ReduceTable::Accumulate kernel() const {
        switch (kind_) {
            case Kind::maximum:
                return table_.maximum;
            case Kind::moments:
                return table_.moments;
            case Kind::sum:
                break;
        }
        return table_.sum;
    }

    void merge(int64_t unit, const double* slots, double* total, const Buffers& buffers) const {
        clear(total);
        const int64_t block = unit % blocks_, width = width_of(block);
        for (int64_t piece = 0; piece < pieces_; ++piece) {
            const double* slot = slots + (unit * pieces_ + piece) * slot_values();
            switch (kind_) {
                case Kind::sum:
                    for (int64_t c = 0; c < width; ++c) total[c] += slot[c];
                    break;
                case Kind::maximum:
                    for (int64_t c = 0; c < width; ++c)
                        if (slot[c] > total[c] || slot[c] != slot[c]) total[c] = slot[c];
                    break;
                case Kind::moments:
                    merge_moments({total, total + width, total + 2 * width}, slot, slot + width, slot + 2 * width,
                                  width);
                    break;
            }
        }
        write(unit / blocks_, block, total, buffers);
    }

    void write(int64_t kept, int64_t block, const double* slot, const Buffers& buffers) const {
        const int64_t width = width_of(block), to = kept * layout_.channels + block * block_;
        float* dst = static_cast<float*>(buffers.outputs[0]) + to;
        const double* first = kind_ == Kind::moments ? slot + width : slot;
        for (int64_t c = 0; c < width; ++c) dst[c] = static_cast<float>(first[c]);
        if (kind_ != Kind::moments) return;
        float* variance = static_cast<float*>(buffers.outputs[1]) + to;
        for (int64_t c = 0; c < width; ++c) variance[c] = static_cast<float>(slot[2 * width + c] / slot[c]);
    }

    Kind kind_;
    Layout layout_;
    const ReduceTable& table_;
    int64_t kept_ = 1;    ///< results, apart from the channels
    int64_t length_ = 1;  ///< pixels that make one
    int64_t block_ = 1, blocks_ = 1, piece_ = 1, pieces_ = 1;
    int64_t sample_kept_ = 1, group_ = 1, groups_ = 1;
};

template <Kind kind>
std::string refuse(const Problem& problem) {
    const size_t results = kind == Kind::moments ? 2 : 1;
    if (problem.inputs.size() != 1 || problem.outputs.size() != results)
        return "expects one input and " + std::to_string(results) + " outputs";
    if (problem.prologue[0] || problem.epilogue) return "takes no programs";
    if (!problem.attributes) return "expects the axes to reduce";
    const Operand& src = problem.inputs[0];
    if (src.dtype != DType::f32) return "expects f32";
    if (src.shape.count() == 0) return "expects at least one value, got " + src.shape.str();
    const uint32_t axes = static_cast<const ReduceAttributes*>(problem.attributes)->axes;
    if (axes >> src.shape.rank() != 0) return "an axis beyond the rank of " + src.shape.str();
    int64_t kept = 1;
    for (int axis = 0; axis < src.shape.rank(); ++axis)
        if ((axes >> axis & 1u) == 0) kept *= src.shape[axis];
    for (const Operand& dst : problem.outputs)
        if (dst.dtype != DType::f32 || !dst.dense() || dst.shape.count() != kept)
            return "expects dense f32 results of " + std::to_string(kept) + " values, got " + dst.shape.str();
    return {};
}

double cost(const Problem& problem) { return static_cast<double>(problem.inputs[0].shape.count()) * 1e-12; }

template <Kind kind>
std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    if (std::string reason = refuse<kind>(problem); !reason.empty()) throw Error(problem.op, reason);
    const auto& attributes = *static_cast<const ReduceAttributes*>(problem.attributes);
    return std::make_unique<ReduceStep>(kind, problem.inputs[0], attributes.axes, isa);
}

template <Kind kind>
void add(std::vector<KernelInfo>& out, std::string_view op, std::string_view name) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
        out.push_back({.op = op,
                       .name = name,
                       .isa = isa,
                       .tile = "up to 1024 channels",
                       .takes = "f32 over any axes, without programs",
                       .refuse = refuse<kind>,
                       .cost = cost,
                       .make = make<kind>});
}

}  // namespace

const ReduceTable& reduce_table(Isa isa) {
    return *by_isa(isa, reduce_table_baseline, reduce_table_avx2, reduce_table_avx512)();
}

void register_reduce(std::vector<KernelInfo>& out) {
    add<Kind::sum>(out, "reduce_sum", "reduce_sum_blocks_f32");
    add<Kind::maximum>(out, "reduce_max", "reduce_max_blocks_f32");
    add<Kind::moments>(out, "moments", "moments_shifted_blocks_f32");
    register_softmax(out);
    register_one_hot(out);
    register_product_norm(out);
}

}  // namespace liven::kernels
