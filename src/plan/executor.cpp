#include "executor.hpp"

#include <omp.h>
#include <xmmintrin.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <thread>

#include "anomaly.hpp"
#include "lanes.hpp"
#include "liven/core/log.hpp"
#include "liven/graph/operation.hpp"
#include "run_recorder.hpp"

// The one place that opens a parallel region, once a plan run; of one thread where every segment is small.

namespace liven::detail {
namespace {

/// The arena of this thread's plans, at the size of the largest.
Buffer& shared_arena() {
    thread_local Buffer arena;
    return arena;
}
/// Scratch of all compute threads, side by side.
Buffer& shared_scratch() {
    thread_local Buffer scratch;
    return scratch;
}
void reserve(Buffer& buffer, size_t bytes) {
    if (buffer.bytes() >= bytes && buffer) return;
    buffer = Buffer();
    Buffer::trim();  // what is pooled by now are the sizes of before
    buffer = Buffer(bytes);
}

/// Denormal numbers cost a hundred times a normal operation and mean nothing here: while one lives, they are zero in
/// this thread.
class FlushDenormals {
public:
    FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
    ~FlushDenormals() { _mm_setcsr(before_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
    unsigned before_;
};

constexpr int kSpins = 2000;  // tens of microseconds: what threads differ by on an idle machine

/// Where the threads of a run meet. Short waits spin, longer ones sleep: on a machine with other work a spinning thread
/// takes the very core the late one needs.
class Barrier {
public:
    void arrive(int threads) {
        const uint32_t generation = generation_.load(std::memory_order_acquire);
        if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
            waiting_.store(0, std::memory_order_relaxed);
            generation_.fetch_add(1, std::memory_order_release);
            generation_.notify_all();
            return;
        }
        for (int spin = 0; spin < kSpins; ++spin) {
            if (generation_.load(std::memory_order_acquire) != generation) return;
            _mm_pause();
        }
        while (generation_.load(std::memory_order_acquire) == generation)
            generation_.wait(generation, std::memory_order_acquire);
    }

private:
    alignas(64) std::atomic<int> waiting_{0};
    alignas(64) std::atomic<uint32_t> generation_{0};
};

// A modest core's pace, and what waking a sleeping thread takes.
constexpr double kFlopsPerSecond = 10e9, kBytesPerSecond = 10e9, kSmallSeconds = 10e-6;
constexpr size_t kNoFlags = static_cast<size_t>(-1);

class PlannedPlan final : public Plan {
public:
    PlannedPlan(Layout layout, const EngineOptions& options)
        : layout_(std::move(layout)), anomaly_(options.detect_anomaly), recorder_(layout_.schedule) {
        size_t operands = 0;
        for (size_t i = 0; i < layout_.inputs.size(); ++i)
            operands += layout_.inputs[i].size() + layout_.outputs[i].size();
        pointers_.resize(operands);
        for (size_t i = 0; i < layout_.schedule.steps.size(); ++i) keeps_ |= layout_.schedule.keeps(i);
        for (const Segment& segment : layout_.schedule.segments) {
            walks_.push_back(walk_of(segment));
            all_segments_.push_back(walks_.size() - 1);
            const std::vector<bool>& once = walks_.back().once;
            if (std::find(once.begin(), once.end(), false) != once.end()) later_segments_.push_back(walks_.size() - 1);
        }
        done_ = std::vector<std::atomic<uint32_t>>(flags_);
        buffers_.resize(layout_.inputs.size());
        if (options.verbose >= 1) log_detail(kernel_list(options));
    }

    void run(std::span<const void* const> leaves, std::span<void* const> roots) override {
        Buffer& arena = keeps_ ? own_arena_ : shared_arena();
        reserve(arena, layout_.arena_bytes);
        arena_ = arena.as<std::byte>();
        const int threads = is_walked_alone() ? 1 : thread_count();
        reserve(shared_scratch(), scratch_step() * static_cast<size_t>(threads) + kernels::scratch_gap);
        bind(leaves, roots);
        lanes_.deal(layout_.schedule.segments, threads);
        lanes_.refill();
        ++runs_;
        const bool recorded = verbosity() >= 2 || profiling_;
        const bool poisoned = poison();
        if (poisoned && !prepared_) fill_with_nan();
        failed_ = -1;
        if (recorded) recorder_.begin(threads);
#pragma omp parallel num_threads(threads)
        {
            const FlushDenormals flush;
            run_thread(recorded, poisoned);
        }
        if (recorded) recorder_.end();
        if (failed_ >= 0) report_anomaly();
        prepared_ = keeps_;
        for (const auto& [root, place] : layout_.copies)
            std::memcpy(roots[root], address(place, leaves, roots),
                        static_cast<size_t>(graph().roots[root].value.type().bytes()));
        if (verbosity() >= 2) log_trace(recorder_.str());
    }

    bool in_place(size_t root) const override { return layout_.schedule.in_place[root]; }
    PlanMemory memory() const override {
        PlanMemory memory{.arena_bytes = static_cast<int64_t>(layout_.arena_bytes),
                          .lower_bound = static_cast<int64_t>(layout_.lower_bound),
                          .scratch_bytes = static_cast<int64_t>(layout_.scratch_bytes),
                          .repeated = layout_.repeated,
                          .repeated_bytes = static_cast<int64_t>(layout_.repeated_bytes)};
        for (size_t i = 0; i < graph().roots.size(); ++i)
            if (!in_place(i)) memory.result_bytes += graph().roots[i].value.type().bytes();
        return memory;
    }
    MemoryMap memory_map() const override { return layout_.memory_map(); }
    std::vector<ProfileEntry> profile() const override { return recorder_.profile(); }
    Timeline timeline() const override { return recorder_.timeline(); }
    void set_profiling(bool on) override {
        if (on && !profiling_) recorder_.reset();
        profiling_ = on;
    }
    std::string str() const override { return layout_.schedule.fused.str() + layout_.schedule.str() + layout_.str(); }

private:
    const std::vector<Group>& groups() const { return layout_.schedule.fused.groups; }
    const Graph& graph() const { return layout_.schedule.fused.graph; }

    void* address(const Place& place, std::span<const void* const> leaves, std::span<void* const> roots) {
        switch (place.kind) {
            case Place::Kind::leaf:
                return static_cast<std::byte*>(const_cast<void*>(leaves[place.offset])) + place.shift;
            case Place::Kind::root:
                return static_cast<std::byte*>(roots[place.offset]) + place.shift;
            case Place::Kind::constant:
                return &layout_.constants[place.offset];
            case Place::Kind::arena:
                break;
        }
        return arena_ + place.offset + place.shift;
    }

    void bind(std::span<const void* const> leaves, std::span<void* const> roots) {
        scratch_ = shared_scratch().as<std::byte>() + kernels::scratch_gap;
        void** next = pointers_.data();
        for (size_t i = 0; i < buffers_.size(); ++i) {
            buffers_[i].inputs = next;
            for (const Place& place : layout_.inputs[i]) *next++ = address(place, leaves, roots);
            buffers_[i].outputs = next;
            for (const Place& place : layout_.outputs[i]) *next++ = address(place, leaves, roots);
            buffers_[i].workspace = arena_ + layout_.workspace[i];
        }
    }

    /// What the executor adds to a segment.
    struct Walk {
        bool alone = false;              ///< meeting the other threads would take longer than their help saves
        std::vector<bool> once;          ///< by stage: only in the first run
        std::vector<size_t> first_flag;  ///< by stage that others wait for; otherwise kNoFlags
        std::vector<std::vector<const WalkLink*>> links;  ///< by stage
    };

    Walk walk_of(const Segment& segment) {
        const std::vector<bool> once = stages_of_first_run(segment);
        Walk walk{.alone = is_small(segment) || has_one_unit(segment, once),
                  .once = once,
                  .first_flag = std::vector<size_t>(segment.stages.size(), kNoFlags),
                  .links = std::vector<std::vector<const WalkLink*>>(segment.stages.size())};
        for (const WalkLink& link : segment.links) {
            walk.links[link.stage].push_back(&link);
            size_t& first = walk.first_flag[link.before];
            if (first != kNoFlags) continue;
            first = flags_;
            flags_ += static_cast<size_t>(stage_of(segment.stages[link.before]).units);
        }
        return walk;
    }
    std::vector<bool> stages_of_first_run(const Segment& segment) const {
        std::vector<bool> once;
        for (const ScheduledStage& place : segment.stages)
            once.push_back(keeps_ && layout_.schedule.kept[place.step][static_cast<size_t>(place.stage)]);
        return once;
    }
    const kernels::Step::Stage& stage_of(const ScheduledStage& place) const {
        return layout_.schedule.steps[place.step]->stages[static_cast<size_t>(place.stage)];
    }
    /// Whether every run but the first has nothing to hand out.
    bool has_one_unit(const Segment& segment, const std::vector<bool>& once) const {
        int64_t units = 0;
        for (size_t i = 0; i < segment.stages.size(); ++i)
            if (!once[i]) units += stage_of(segment.stages[i]).units;
        return units <= 1;
    }
    bool is_small(const Segment& segment) const {
        double seconds = 0;
        for (const ScheduledStage& place : segment.stages) {
            const Group& group = groups()[place.step];
            seconds += std::max(group.flops / kFlopsPerSecond, group.bytes / kBytesPerSecond);
        }
        return seconds < kSmallSeconds;
    }

    /// From one thread's scratch to the next one's.
    size_t scratch_step() const { return layout_.scratch_bytes + kernels::scratch_gap; }

    const std::vector<size_t>& walked_segments() const { return prepared_ ? later_segments_ : all_segments_; }
    /// Whether the first thread would do all of this run: then no other is woken to wait for it.
    bool is_walked_alone() const {
        const std::vector<size_t>& segments = walked_segments();
        return std::all_of(segments.begin(), segments.end(), [&](size_t s) { return walks_[s].alone; });
    }

    /// What every thread does: the same walk over segments, its own items first, a barrier behind each segment.
    /// The first thread walks small segments alone; the others wait behind the last of a row of them.
    void run_thread(bool recorded, bool poisoned) {
        std::byte* scratch = scratch_ + scratch_step() * static_cast<size_t>(omp_get_thread_num());
        const bool first = omp_get_thread_num() == 0;
        const std::vector<size_t>& segments = walked_segments();
        for (size_t i = 0; i < segments.size(); ++i) {
            const size_t s = segments[i];
            const bool alone = walks_[s].alone, next_alone = i + 1 < segments.size() && walks_[segments[i + 1]].alone;
            if (first || !alone) {
                if (recorded)
                    walk<true>(s, scratch);
                else
                    walk<false>(s, scratch);
            }
            if (!alone || !next_alone) meet(s, recorded);
            if (anomaly_) check_segment(s, first);
            if (poisoned) poison_after(s, first);
        }
    }

    /// The barrier behind a segment.
    void meet(size_t segment, bool recorded) {
        using Clock = RunRecorder::Clock;
        const Clock::time_point from = recorded ? Clock::now() : Clock::time_point();
        barrier_.arrive(omp_get_num_threads());
        if (recorded) recorder_.add_barrier(segment, omp_get_thread_num(), from, Clock::now());
    }

    template <bool recorded>
    void walk(size_t s, std::byte* scratch) {
        const Segment& segment = layout_.schedule.segments[s];
        const Walk& walk = walks_[s];
        [[maybe_unused]] UnitTimes times;
        if constexpr (recorded)
            times = UnitTimes::of_thread(omp_get_thread_num(), walk.alone ? 1 : omp_get_num_threads());
        int lane = omp_get_thread_num();
        for (;;) {
            const size_t next = lanes_.take(s, lane);
            if (next == Lanes::kNone) break;
            const WalkItem& item = segment.items[next];
            const ScheduledStage& place = segment.stages[item.stage];
            for (const WalkLink* link : walk.links[item.stage]) wait_for(segment, walk, *link, item);
            if (!prepared_ || !walk.once[item.stage]) {
                if constexpr (recorded) times.begin(!walk.links[item.stage].empty());
                kernels::Buffers buffers = buffers_[place.step];
                buffers.scratch = scratch;
                layout_.schedule.steps[place.step]->run(place.stage, item.unit, buffers);
                if constexpr (recorded) recorder_.add_unit(s, next, times.end());
            }
            if (walk.first_flag[item.stage] != kNoFlags)
                done_[walk.first_flag[item.stage] + item.unit].store(runs_, std::memory_order_release);
        }
    }

    /// What an item waits for stands before it in its lane, so whoever took that is at work on it.
    void wait_for(const Segment& segment, const Walk& walk, const WalkLink& link, const WalkItem& item) const {
        const auto per_sample = static_cast<uint32_t>(link.units.size());
        const uint32_t sample = item.unit / per_sample, needed = link.units[item.unit % per_sample];
        const auto made = static_cast<size_t>(stage_of(segment.stages[link.before]).units / segment.samples);
        const std::atomic<uint32_t>* flags = &done_[walk.first_flag[link.before] + sample * made];
        for (uint32_t unit = 0; unit < needed; ++unit)
            for (int spin = 0; flags[unit].load(std::memory_order_acquire) != runs_; ++spin) {
                if (spin < kSpins)
                    _mm_pause();
                else
                    std::this_thread::yield();
            }
    }

    void fill_with_nan() {
        float* values = reinterpret_cast<float*>(arena_);
        std::fill(values, values + layout_.arena_bytes / sizeof(float), std::numeric_limits<float>::quiet_NaN());
    }

    void poison_after(size_t segment, bool first) {
        if (first)
            for (const ArenaBlock& block : layout_.blocks)
                if (block.last == segment && !block.is_handed_on) {
                    float* values = reinterpret_cast<float*>(arena_ + block.offset);
                    std::fill(values, values + block.bytes / sizeof(float), std::numeric_limits<float>::quiet_NaN());
                }
        barrier_.arrive(omp_get_num_threads());
    }

    /// Looks at every output as soon as it is complete: before a step that reads it has its turn. What only the first
    /// run makes may have given its memory to others.
    void check_segment(size_t s, bool first) {
        const Segment& segment = layout_.schedule.segments[s];
        if (first && failed_ < 0)
            for (size_t stage = 0; stage < segment.stages.size(); ++stage) {
                if (prepared_ && walks_[s].once[stage]) continue;
                const ScheduledStage& place = segment.stages[stage];
                const Group& group = groups()[place.step];
                const bool last =
                    static_cast<size_t>(place.stage) + 1 == layout_.schedule.steps[place.step]->stages.size();
                for (size_t i = 0; failed_ < 0 && i < group.outputs.size(); ++i)
                    if (last || (stage_of(place).completes_maps && !group.is_reduction(i))) find_anomaly(place.step, i);
            }
        barrier_.arrive(omp_get_num_threads());
    }

    void find_anomaly(size_t step, size_t output) {
        const GroupOperand& operand = groups()[step].outputs[output];
        if (operand.value.type().dtype != DType::f32) return;
        const float* values = static_cast<const float*>(buffers_[step].outputs[output]);
        for (int64_t i = 0; i < operand.shape.count(); ++i) {
            if (std::isfinite(values[i])) continue;
            failed_ = static_cast<int64_t>(step);
            failed_output_ = output;
            failed_element_ = i;
            failed_value_ = static_cast<double>(values[i]);
            return;
        }
    }

    void report_anomaly() const {
        const GroupOperand& operand = groups()[static_cast<size_t>(failed_)].outputs[failed_output_];
        throw_anomaly(*operand.value.node, failed_value_, failed_element_);
    }

    std::string kernel_list(const EngineOptions& options) const {
        std::ostringstream out;
        out << "plan: " << groups().size() << " steps in " << layout_.schedule.segments.size() << " segments, ISA "
            << name_of(options.isa) << ", " << options.threads << " threads, arena "
            << layout_.arena_bytes / (1024 * 1024) << " MiB";
        for (const Group& group : groups()) {
            out << "\n  " << group.place_or_op() << ": " << group.kernel_name();
            for (const std::string& note : group.notes) out << "\n      " << note;
        }
        return out.str();
    }

    Layout layout_;
    bool anomaly_ = false;
    bool keeps_ = false;     ///< something is made in the first run only
    bool prepared_ = false;  ///< and has been made
    Buffer own_arena_;       ///< of a plan that keeps something; the others share one
    std::vector<size_t> all_segments_, later_segments_;
    std::vector<void*> pointers_;
    std::vector<kernels::Buffers> buffers_;
    std::vector<Walk> walks_;  ///< by segment
    Lanes lanes_;
    size_t flags_ = 0;
    std::vector<std::atomic<uint32_t>> done_;  ///< units that others wait for: the last run that did them
    std::byte *arena_ = nullptr, *scratch_ = nullptr;
    uint32_t runs_ = 0;
    RunRecorder recorder_;
    bool profiling_ = false;
    Barrier barrier_;
    int64_t failed_ = -1, failed_element_ = 0;
    size_t failed_output_ = 0;
    double failed_value_ = 0;
};

}  // namespace

std::unique_ptr<Plan> make_planned(Layout layout, const EngineOptions& options) {
    return std::make_unique<PlannedPlan>(std::move(layout), options);
}

size_t arena_bytes() { return shared_arena().bytes(); }

}  // namespace liven::detail
