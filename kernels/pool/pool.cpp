// Maximum pooling, its gradient, and picking values at the maxima, for any window.
//
// A unit is some rows of one sample (128 KiB of the larger map). Forward and pick: for each row of windows the rows
// under it are loaded (made by the prologue where there is one), reduced by kernels/isa/pool.cpp, and handed to the
// epilogue. The gradient recomputes the maxima from src: a unit owns some rows of diff_src, clears them, and adds dy of
// every window that touches them; windows at the edge of a unit are looked at twice, so that no two units write the
// same row. Sums run over windows in row-major order whatever the cut. 2 x 2 at stride 2 writes each row once, without
// clearing. Bytes: src and dst once (gradient: src, diff_dst and diff_src once). Expected: memory speed.
#include "kernels/pool/pool.hpp"

#include <algorithm>

#include "kernels/by_isa.hpp"
#include "kernels/pool/rows.hpp"
#include "kernels/row_reach.hpp"
#include "liven/core/attributes.hpp"

namespace liven::kernels {

const PoolKernels& pool_kernels_baseline();
const PoolKernels& pool_kernels_avx2();
const PoolKernels& pool_kernels_avx512();

const PoolKernels& pool_kernels(Isa isa) {
    return by_isa(isa, pool_kernels_baseline, pool_kernels_avx2, pool_kernels_avx512)();
}

namespace {

constexpr int64_t kMaxKernel = 64;  // rows of a window whose pointers a unit keeps on its stack

enum class Mode { max, pick, grad };

const Window2d& window_of(const Problem& problem) {
    return static_cast<const PoolAttributes*>(problem.attributes)->window;
}

int64_t span(int64_t kernel, int64_t dilation) { return (kernel - 1) * dilation + 1; }

/// Rows [first, last) of an image of `height` rows under the windows of row y.
struct WindowRows {
    int64_t start = 0, first = 0, last = 0;
    WindowRows(const Window2d& window, int64_t y, int64_t height)
        : start(y * window.stride.h - window.padding.top),
          first(std::clamp<int64_t>(start, 0, height)),
          last(std::clamp<int64_t>(start + span(window.kernel.h, window.dilation.h), first, height)) {}
};

class MaxPoolStep final : public PoolRowsStep {
public:
    MaxPoolStep(const Problem& problem, const PoolOperands& operands, Mode mode, Isa isa)
        : PoolRowsStep(problem, operands.result, options(operands, mode, window_of(problem)), isa),
          mode_(mode),
          window_(window_of(problem)),
          src_(operands.maps[0].shape),
          dst_(mode == Mode::grad ? operands.maps[1].shape : operands.result),
          kernels_(pool_kernels(isa)),
          maps_(operands.maps[0], problem, isa, band(src_, span(window_.kernel.h, window_.dilation.h))) {
        scratch_[0] = reserve(maps_.scratch_bytes());
        if (mode == Mode::max) return;
        const Shape& other = operands.maps[1].shape;
        other_.emplace(operands.maps[1], problem, isa,
                       band(other, mode == Mode::pick ? span(window_.kernel.h, window_.dilation.h) : 1));
        scratch_[1] = reserve(other_->scratch_bytes());
    }

private:
    static Options options(const PoolOperands& operands, Mode mode, const Window2d& window) {
        const Shape& src = operands.maps[0].shape;
        const int64_t grain = mode == Mode::grad ? window.stride.h : 1;
        const int64_t rows_of_src = mode == Mode::grad ? 1 : window.stride.h;
        const int64_t rows = pool_unit_rows(operands.result, src[2] * src[3] * rows_of_src, grain);
        return {.unit_rows = rows,
                .together = mode == Mode::grad,
                .reach = mode == Mode::grad ? reach_of_grad(operands, window, rows)
                                            : row_reach(operands.result[1], rows, src[1], [&](int64_t y) {
                                                  return WindowRows(window, y - 1, src[1]).last;
                                              })};
    }
    /// Rows of diff_src before y get the gradient of every window that begins before y.
    static double reach_of_grad(const PoolOperands& operands, const Window2d& window, int64_t unit_rows) {
        const int64_t src = operands.maps[0].shape[1], dst = operands.maps[1].shape[1];
        const auto windows = [&](int64_t y) {
            return std::clamp<int64_t>((y - 1 + window.padding.top) / window.stride.h + 1, 0, dst);
        };
        const auto rows = [&](int64_t y) { return WindowRows(window, windows(y) - 1, src).last; };
        return std::max(row_reach(src, unit_rows, dst, windows), row_reach(src, unit_rows, src, rows));
    }
    static BandLoader::Options band(const Shape& map, int64_t rows) {
        return {.first_column = 0, .columns = map[2], .rows = rows, .dense_pixels = false};
    }

    /// What every row of windows has in common.
    PoolRow row_of_windows() const {
        PoolRow row;
        row.src_pixel = maps_.pixel_stride();
        row.width = src_[2];
        row.out_width = dst_[2];
        row.channels = src_[3];
        row.kernel_h = window_.kernel.h;
        row.kernel_w = window_.kernel.w;
        row.stride_w = window_.stride.w;
        row.left = window_.padding.left;
        row.dilation_w = window_.dilation.w;
        return row;
    }
    /// Pointers to the rows under a row of windows; null outside of the image.
    void take_rows(const WindowRows& under, BandLoader::Rows& band, const float** rows) const {
        band.load(under.first, under.last);
        for (int64_t k = 0; k < window_.kernel.h; ++k) {
            const int64_t y = under.start + k * window_.dilation.h;
            rows[k] = y >= under.first && y < under.last ? band[y] : nullptr;
        }
    }

    void make_rows(const Unit& unit, RowSink::Rows& sink) const noexcept override {
        BandLoader::Rows src(maps_, unit.buffers, unit.buffers.scratch + scratch_[0], unit.sample);
        if (mode_ == Mode::grad) return make_grad(unit, src, sink);
        const float *rows[kMaxKernel], *picked[kMaxKernel];
        PoolRow row = row_of_windows();
        row.src = rows;
        row.dst_pixel = pixel_stride();
        std::optional<BandLoader::Rows> other;
        if (mode_ == Mode::pick) {
            other.emplace(*other_, unit.buffers, unit.buffers.scratch + scratch_[1], unit.sample);
            row.picked = picked;
            row.picked_pixel = other_->pixel_stride();
        }
        for (int64_t y = unit.first; y < unit.last; ++y) {
            const WindowRows under(window_, y, src_[1]);
            take_rows(under, src, rows);
            if (other) take_rows(under, *other, picked);
            row.dst = sink.begin(y);
            (other ? kernels_.pick : kernels_.max)(row);
            sink.done(y, 1);
        }
    }

    void make_grad(const Unit& unit, BandLoader::Rows& src, RowSink::Rows& sink) const noexcept {
        BandLoader::Rows diff(*other_, unit.buffers, unit.buffers.scratch + scratch_[1], unit.sample);
        const float* rows[kMaxKernel];
        float* targets[kMaxKernel];
        PoolRow row = row_of_windows();
        row.src = rows;
        row.diff_src = targets;
        row.diff_src_pixel = pixel_stride();
        row.diff_dst_pixel = other_->pixel_stride();
        float* out = sink.begin(unit.first);
        if (!stores_every_pixel(unit)) clear(out, unit.last - unit.first);
        // The first row of windows whose last row reaches unit.first.
        const int64_t reach = span(window_.kernel.h, window_.dilation.h), shifted = unit.first + window_.padding.top;
        const int64_t begin = shifted < reach ? 0 : (shifted - reach) / window_.stride.h + 1;
        for (int64_t y = begin; y < dst_[1]; ++y) {
            const WindowRows under(window_, y, src_[1]);
            if (under.start >= unit.last) break;
            take_rows(under, src, rows);
            for (int64_t k = 0; k < window_.kernel.h; ++k) {
                const int64_t at = under.start + k * window_.dilation.h;
                const bool owned = rows[k] && at >= unit.first && at < unit.last;
                targets[k] = owned ? out + (at - unit.first) * src_[2] * row.diff_src_pixel : nullptr;
            }
            diff.load(y, y + 1);
            row.diff_dst = diff[y];
            kernels_.grad(row);
        }
        sink.done(unit.first, unit.last - unit.first);
    }

    /// Plain 2 x 2 windows that cover the unit: then the kernel stores instead of adding.
    bool stores_every_pixel(const Unit& unit) const {
        const Window2d plain{.kernel = {2}, .stride = {2}};
        return window_.kernel == plain.kernel && window_.stride == plain.stride && window_.padding == plain.padding &&
               window_.dilation == plain.dilation && 2 * dst_[2] == src_[2] && unit.first % 2 == 0 &&
               unit.last % 2 == 0 && unit.last <= 2 * dst_[1];
    }
    void clear(float* rows, int64_t count) const {
        for (int64_t p = 0; p < count * src_[2]; ++p) std::fill_n(rows + p * pixel_stride(), src_[3], 0.0f);
    }

    Mode mode_;
    Window2d window_;
    Shape src_, dst_;  ///< of the pooling, whichever way the data flows
    const PoolKernels& kernels_;
    BandLoader maps_;
    std::optional<BandLoader> other_;
    size_t scratch_[2] = {0, 0};
};

template <Mode mode>
std::string refuse(const Problem& problem) {
    const PoolOperands operands = parse_pool(problem, mode == Mode::max ? 1 : 2);
    if (!operands.refusal.empty()) return operands.refusal;
    const Window2d& window = window_of(problem);
    if (window.kernel.h > kMaxKernel) return "the window has more than 64 rows";
    const Shape& src = operands.maps[0].shape;
    const Shape pooled{src[0], window.out_h(src[1]), window.out_w(src[2]), src[3]};
    const Shape& dst = mode == Mode::grad ? operands.maps[1].shape : operands.result;
    if (!(dst == pooled)) return "the pooled map has another shape than the window gives";
    if (mode == Mode::grad && !(operands.result == src)) return "the gradient has another shape than src";
    if (mode == Mode::pick && !(operands.maps[1].shape == src)) return "what is picked has another shape than src";
    return {};
}

double cost(const Problem& problem) {
    return values_moved(problem) *
           12e-12;  // a float a cycle's worth of memory: about 12 FLOP a byte at the machine's balance
}

template <Mode mode>
KernelInfo entry(std::string_view op, std::string_view name, Isa isa) {
    return {.op = op,
            .name = name,
            .isa = isa,
            .tile = "one vector of channels",
            .takes = "N x H x W x C in f32 or bf16, windows of at most 64 rows",
            .refuse = refuse<mode>,
            .cost = cost,
            .make = [](const Problem& problem, Isa made_for) -> std::unique_ptr<Step> {
                return std::make_unique<MaxPoolStep>(problem, parse_pool(problem, mode == Mode::max ? 1 : 2), mode,
                                                     made_for);
            }};
}

}  // namespace

void register_average_pool(std::vector<KernelInfo>& out);  // average.cpp

void register_pool(std::vector<KernelInfo>& out) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
        out.push_back(entry<Mode::max>("max_pool", "max_pool_rows_nhwc_f32", isa));
        out.push_back(entry<Mode::grad>("max_pool_grad", "max_pool_grad_gather_rows_nhwc_f32", isa));
        out.push_back(entry<Mode::pick>("max_pool_pick", "max_pool_pick_rows_nhwc_f32", isa));
    }
    register_average_pool(out);
}

}  // namespace liven::kernels
