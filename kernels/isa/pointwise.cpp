#include "kernels/pointwise/dropout.hpp"
#include "kernels/pointwise/links.hpp"
#include "kernels/pointwise/loops.hpp"
#include "kernels/pointwise/sums.hpp"
#include "kernels/pointwise/table.hpp"

// How it works. A chunk is walked in tiles of at most row_floats values: whole pixels, or, when a pixel alone is wider,
// one pixel by a range of channels. Instructions run as chains, block after block of the tile (pointwise_links.hpp);
// the rest of a tile, and operations that are slow by themselves, as one vector loop each. Where a register's values
// lie is a pointer: into an operand when they are contiguous there, else a row of scratch. Rows are few and reused.
// Where the channels of a pixel are whole blocks, a tile is walked pixel by pixel instead and every operand is read and
// written in place, whatever the stride of its pixels.

namespace liven::kernels {
namespace {

struct Tile {
    int64_t pixel = 0, pixels = 0;      ///< of the sample
    int64_t channel = 0, channels = 0;  ///< of the operand
    int64_t values() const { return pixels * channels; }
};

/// How far before their use chains have values fetched from memory.
constexpr int64_t tiles_ahead = 2;

/// Brings operands that no chain fetches (their pixels lie apart, say) into L2 a tile before they are needed, a few
/// lines at a time. A tile takes one page of each operand, the length at which hardware prefetchers begin anew: left to
/// them alone, a program of several operands waits at the start of every tile.
class Ahead {
public:
    /// The operand's next tile starts here; its pixels are `used` bytes, `stride` bytes apart.
    void add(const void* next_tile, int64_t used, int64_t stride, bool bf16) {
        if (count_ == most) return;
        const bool apart = stride > used && used % line == 0;
        streams_[count_++] = {.next = static_cast<const char*>(next_tile),
                              .run = apart ? used / line : 1,
                              .left = apart ? used / line : 1,
                              .gap = apart ? stride - used : 0,
                              .every = bf16 ? 2 : 1};
    }
    /// At the start of a tile of `bytes` an operand (of floats), which has so many steps.
    void begin(int64_t bytes, int64_t steps) {
        left_ = (bytes + line - 1) / line;
        step_ = left_ / (steps > 0 ? steps : 1) + 1;
    }
    void issue() {
        if (count_ == 0) return;
        const int64_t lines = step_ < left_ ? step_ : left_;
        left_ -= lines;
        for (int i = 0; i < count_; ++i) {
            const int64_t due = streams_[i].due + lines;
            streams_[i].due = due % streams_[i].every;
            issue(streams_[i], due / streams_[i].every);
        }
    }

private:
    static constexpr int most = 12;
    static constexpr int64_t line = 64;
    struct Stream {
        const char* next = nullptr;
        int64_t run = 1;    ///< lines of a pixel
        int64_t left = 1;   ///< of this one
        int64_t gap = 0;    ///< bytes from its end to the next
        int64_t every = 1;  ///< lines of floats for one of these
        int64_t due = 0;    ///< of them since the last
    };

    static void issue(Stream& stream, int64_t lines) {
        const char* next = stream.next;  // in registers: through memory each line would wait for the one before
        int64_t left = stream.left;
        for (int64_t l = 0; l < lines; ++l) {
            _mm_prefetch(next, _MM_HINT_T1);
            next += line;
            if (--left > 0) continue;
            left = stream.run;
            next += stream.gap;
        }
        stream.next = next;
        stream.left = left;
    }

    Stream streams_[most];
    int count_ = 0;
    int64_t left_ = 0, step_ = 1;
};

/// The chunk with its defaults filled in, and what every tile of it needs.
struct Run {
    const ProgramView& view;
    const Buffers& buffers;
    const Chunk& chunk;
    float* scratch;
    int64_t channels, core_stride, sink_stride;
    bool repeating;  ///< whole pixels make a block: operands by channel are the same in each
    bool in_place;   ///< pixels are whole blocks: operands stay where they lie
    float** at;      ///< where each register's values of the current tile lie
    bool* direct;    ///< by output: whether the instruction that makes it may write it
    Ahead ahead;

    /// Floats from one pixel of a register of the layout to the next.
    int64_t stride(Layout layout, const Tile& tile) const {
        if (!in_place || layout == Layout::row) return tile.channels;
        if (layout == Layout::repeats) return 0;
        return layout == Layout::core ? core_stride : layout == Layout::sink ? sink_stride : view.channels;
    }
};

LIVEN_INLINE float* row_of(const ProgramView& view, float* scratch, int32_t row) {
    return scratch + view.row_stride * row;
}

LIVEN_INLINE int64_t tile_pixels(const ProgramView& view, int64_t channels) {
    const int64_t pixels = view.row_floats / channels;
    return pixels > 0 ? pixels : 1;
}

LIVEN_INLINE void copy_values(float* dst, const float* src, int64_t n) {
    map(dst, src, n, [](vec x) { return x; });
}

LIVEN_INLINE void copy_values(uint16_t* dst, const uint16_t* src, int64_t n) {
    __builtin_memcpy(dst, src, static_cast<size_t>(n) * sizeof(uint16_t));
}

LIVEN_INLINE void copy_values(float* dst, const uint16_t* src, int64_t n) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store(dst + i, load_bf16(src + i));
    if (i < n) store_part(dst + i, load_bf16_part(src + i, n - i), n - i);
}

template <bool native>
void narrow_values(uint16_t* dst, const float* src, int64_t n) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store_bf16<native>(dst + i, load(src + i));
    if (i < n) store_bf16_part<native>(dst + i, load_part(src + i, n - i), n - i);
}

template <class To, class From>
void gather(To* dst, const From* src, int64_t stride, const Tile& tile) {
    for (int64_t p = 0; p < tile.pixels; ++p) copy_values(dst + p * tile.channels, src + p * stride, tile.channels);
}

template <class T>
void scatter(T* dst, int64_t stride, const T* src, int64_t src_stride, const Tile& tile) {
    for (int64_t p = 0; p < tile.pixels; ++p) copy_values(dst + p * stride, src + p * src_stride, tile.channels);
}

/// Pixels stored as bytes, as floats side by side.
void widen(float* dst, const uint8_t* src, int64_t stride, const Tile& tile) {
    const bool together = tile.pixels == 1 || stride == tile.channels;
    const int64_t runs = together ? 1 : tile.pixels, length = together ? tile.values() : tile.channels;
    for (int64_t r = 0; r < runs; ++r, src += stride, dst += length) {
        int64_t i = 0;
        for (; i + lanes <= length; i += lanes) store(dst + i, load_u8(src + i));
        for (; i < length; ++i) dst[i] = static_cast<float>(src[i]);
    }
}

/// Of an operand whose elements may be bf16, under the type that every register's place has.
LIVEN_INLINE float* element(const void* data, int64_t index, bool bf16) {
    return reinterpret_cast<float*>(const_cast<char*>(static_cast<const char*>(data)) + index * (bf16 ? 2 : 4));
}

/// Each value `channels` times. Whole vectors are stored: the next pixel overwrites what is too much, and rows have
/// room at their end.
void spread(float* dst, const float* src, int64_t stride, const Tile& tile) {
    for (int64_t p = 0; p < tile.pixels; ++p) {
        const vec value = splat(src[p * stride]);
        for (int64_t c = 0; c < tile.channels; c += lanes) store(dst + p * tile.channels + c, value);
    }
}

const float* operand_of(const Buffers& buffers, int32_t index) {
    return static_cast<const float*>(buffers.inputs[index]);
}

/// Whether no input that is read after the output has been made lies in the output's memory.
bool is_direct(const ProgramView& view, const Buffers& buffers, const ViewOutput& output) {
    if (output.operand < 0 || output.late_inputs == 0) return true;
    if (view.input_count > 64) return false;
    for (int32_t i = 0; i < view.input_count; ++i)
        if ((output.late_inputs >> i & 1) != 0 && view.inputs[i].operand >= 0 &&
            buffers.inputs[view.inputs[i].operand] == buffers.outputs[output.operand])
            return false;
    return true;
}

/// Whether pixels are whole blocks, and every operand that chains read or write in place can be.
bool walks_in_place(const ProgramView& view, const Buffers& buffers, int64_t channels) {
    if (!view.all_chained || channels % block_values != 0 || view.row_floats % block_values != 0) return false;
    for (int32_t i = 0; i < view.output_count; ++i)
        if (view.outputs[i].layout == Layout::map && !is_direct(view, buffers, view.outputs[i])) return false;
    return true;
}

void prepare(const ProgramView& view, const Buffers& buffers, int64_t sample, int64_t first_channel, int64_t channels,
             float* scratch) noexcept {
    if (channels == 0) channels = view.channels;
    const int64_t pixels = tile_pixels(view, channels);
    const bool in_place = walks_in_place(view, buffers, channels);
    for (int32_t i = 0; i < view.input_count; ++i) {
        const ViewInput& input = view.inputs[i];
        if (input.wide || input.access == Access::full || input.access == Access::pixel) continue;
        const float* src = operand_of(buffers, input.operand);
        float* dst = row_of(view, scratch, input.row);
        if (input.access == Access::scalar) {
            const int64_t count = channels < view.row_floats ? pixels * channels : view.row_floats;
            map(dst, dst, count, [value = splat(*src)](vec) { return value; });
            continue;
        }
        if (pixels == 1 || in_place) continue;
        if (input.access == Access::sample_channel) src += sample * input.pixel_stride;
        copy_values(dst, src + first_channel, channels);
        for (int64_t done = channels; done < pixels * channels; done *= 2)
            copy_values(dst + done, dst, done < pixels * channels - done ? done : pixels * channels - done);
    }
}

/// Points the input's register at its values of this tile, copying them into its row when they do not lie side by side.
void place_input(Run& run, int32_t index, const Tile& tile) {
    const ProgramView& view = run.view;
    const ViewInput& input = view.inputs[index];
    if (input.wide) return;
    float* row = row_of(view, run.scratch, input.row);
    float*& place = run.at[index];
    const int64_t pixel = run.chunk.sample * view.pixels + tile.pixel;
    switch (input.access) {
        case Access::scalar:
            place = row;
            return;
        case Access::channel:
        case Access::sample_channel: {
            place = row;
            if (!run.in_place && tile_pixels(view, run.channels) > 1) return;
            place = const_cast<float*>(operand_of(run.buffers, input.operand)) + tile.channel;
            if (input.access == Access::sample_channel) place += run.chunk.sample * input.pixel_stride;
            return;
        }
        case Access::pixel:
            place = const_cast<float*>(operand_of(run.buffers, input.operand)) + pixel * input.pixel_stride;
            if (tile.channels == 1 && input.pixel_stride == 1) return;
            spread(row, place, input.pixel_stride, tile);
            place = row;
            return;
        case Access::full:
            break;
    }
    int64_t stride = input.pixel_stride;
    if (input.bytes) {
        const auto* pixels = static_cast<const uint8_t*>(run.buffers.inputs[input.operand]);
        widen(row, pixels + pixel * stride + tile.channel, stride, tile);
        place = row;
        return;
    }
    if (input.operand < 0) {
        stride = run.core_stride;
        place = const_cast<float*>(run.chunk.core) + (tile.pixel - run.chunk.first_pixel) * stride +
                (tile.channel - run.chunk.first_channel);
    } else {
        place = element(run.buffers.inputs[input.operand], pixel * stride + tile.channel, input.bf16);
    }
    if (run.in_place && input.layout != Layout::row) return;
    const bool together = tile.pixels == 1 || stride == tile.channels;
    if (together && !input.widened) return;
    if (input.widened && together)
        copy_values(row, halves_of(place), tile.values());
    else if (input.widened)
        gather(row, halves_of(place), stride, tile);
    else if (input.bf16)
        gather(halves_of(row), halves_of(place), stride, tile);
    else
        gather(row, place, stride, tile);
    place = row;
}

struct Target {
    float* data;  ///< or of bf16
    int64_t stride;
};

Target target_of(const Run& run, const ViewOutput& output, const Tile& tile) {
    if (output.operand < 0) {
        const int64_t pixel = tile.pixel - run.chunk.first_pixel, channel = tile.channel - run.chunk.first_channel;
        return {run.chunk.sink + pixel * run.sink_stride + channel, run.sink_stride};
    }
    const int64_t pixel = run.chunk.sample * run.view.pixels + tile.pixel;
    const int64_t index = pixel * output.pixel_stride + tile.channel;
    return {element(run.buffers.outputs[output.operand], index, output.bf16), output.pixel_stride};
}

/// Where an instruction writes: straight into its output when the tile is contiguous there, else into its row.
float* place_result(Run& run, const ViewInstruction& code, const Tile& tile) {
    if (code.output >= 0 && run.direct[code.output]) {
        const Target target = target_of(run, run.view.outputs[code.output], tile);
        const bool apart = run.in_place && code.layout != Layout::row;
        if (apart || tile.pixels == 1 || target.stride == tile.channels) return target.data;
    }
    return row_of(run.view, run.scratch, code.row);
}

void run_dropout(const Run& run, const ViewInstruction& code, float* dst, const Tile& tile) {
    const ProgramView& view = run.view;
    const auto word = [&](uint16_t input) {
        return *static_cast<const uint64_t*>(run.buffers.inputs[view.inputs[input].operand]);
    };
    const DropoutKey key{.seed = word(code.b),
                         .stream = uint64_t{code.key} << 32 | (word(code.c) & 0xffffffffu),
                         .rate = code.imm0,
                         .scale = code.imm1};
    const float* src = run.at[code.a];
    const int64_t first = (run.chunk.sample * view.pixels + tile.pixel) * view.channels + tile.channel;
    if (tile.channels == view.channels) return drop(dst, src, first, tile.values(), key);
    for (int64_t p = 0; p < tile.pixels; ++p)
        drop(dst + p * tile.channels, src + p * tile.channels, first + p * view.channels, tile.channels, key);
}

/// The register's values of the tile from `first` on as floats: bf16, of which there is no more than a block here, is
/// widened into `room`.
const float* floats_of(const Run& run, uint16_t index, const Tile& tile, int64_t first, float* room) {
    const bool bf16 = index < run.view.input_count && run.view.inputs[index].bf16 && !run.view.inputs[index].widened;
    if (!bf16) return run.at[index] + first;
    copy_values(room, halves_of(run.at[index]) + first, tile.values() - first);
    return room;
}

/// One instruction over the tile's values from `first` on.
void run_whole(Run& run, const ViewInstruction& code, const Tile& tile, int64_t first) {
    if (code.op == Opcode::dropout) return run_dropout(run, code, run.at[code.dst], tile);
    float room[3][block_values];
    const float* a = floats_of(run, code.a, tile, first, room[0]);
    const int64_t count = tile.values() - first;
    if (code.narrows) {
        uint16_t* dst = halves_of(run.at[code.dst]) + first;
        return run.view.native_bf16 ? narrow_values<true>(dst, a, count) : narrow_values<false>(dst, a, count);
    }
    loops.of[static_cast<int>(code.op)](run.at[code.dst] + first, a, floats_of(run, code.b, tile, first, room[1]),
                                        floats_of(run, code.c, tile, first, room[2]), code.imm0, code.imm1, count);
}

constexpr int layouts = static_cast<int>(Layout::count);

/// The chain over every block of every pixel.
void run_in_place(Run& run, const ViewLink* chain, const Tile& tile) {
    const int64_t stride = run.view.channels;
    int64_t offset[layouts] = {0, 0, tiles_ahead * tile.pixels * stride, 0, 0, 0};
    const int64_t to_next[layouts] = {0,
                                      -tile.channels,
                                      stride - tile.channels,
                                      stride - tile.channels,
                                      run.core_stride - tile.channels,
                                      run.sink_stride - tile.channels};
    for (int64_t p = 0; p < tile.pixels; ++p) {
        for (int64_t c = 0; c < tile.channels; c += block_values) {
            run.ahead.issue();
            run_chain(chain, run.at, offset);
#pragma GCC unroll 6
            for (int l = 0; l < layouts; ++l) offset[l] += block_values;
        }
#pragma GCC unroll 6
        for (int l = 0; l < layouts; ++l) offset[l] += to_next[l];
    }
}

void run_instructions(Run& run, const ViewRun& part, const Tile& tile) {
    const ViewInstruction* code = run.view.code + part.first;
    if (part.link < 0) {
        run.ahead.issue();
        return run_whole(run, *code, tile, 0);
    }
    const ViewLink* chain = run.view.links + part.link;
    if (run.in_place) return run_in_place(run, chain, tile);
    int64_t done = 0;
    for (; done + block_values <= tile.values(); done += block_values) {
        run.ahead.issue();
        const int64_t offset[layouts] = {done, run.repeating ? 0 : done, done + tiles_ahead * tile.values(), done, done,
                                         done};
        run_chain(chain, run.at, offset);
    }
    if (done == tile.values()) return;
    for (int32_t i = 0; i < part.count; ++i) run_whole(run, code[i], tile, done);
}

/// How often a tile has its successor fetched.
int64_t steps_of(const ProgramView& view, const Tile& tile) {
    int64_t steps = 0;
    for (int32_t i = 0; i < view.run_count; ++i) steps += view.runs[i].link < 0 ? 1 : tile.values() / block_values;
    return steps;
}

void run_tile(Run& run, Sums& sums, const Tile& tile) {
    const ProgramView& view = run.view;
    for (int32_t i = 0; i < view.input_count; ++i) place_input(run, i, tile);
    for (int32_t i = 0; i < view.code_count; ++i) run.at[view.code[i].dst] = place_result(run, view.code[i], tile);
    run.ahead.begin(tile.values() * static_cast<int64_t>(sizeof(float)), steps_of(view, tile));
    for (int32_t i = 0; i < view.run_count; ++i) run_instructions(run, view.runs[i], tile);
    // Before the outputs: they may lie in the memory of an input that is summed.
    for (int32_t i = 0; i < view.reduction_count; ++i) {
        const ViewReduction& reduction = view.reductions[i];
        sums.add(reduction, run.at[reduction.source], run.stride(reduction.layout, tile), tile.pixels,
                 tile.channel - run.chunk.first_channel, tile.channels);
    }
    for (int32_t i = 0; i < view.output_count; ++i) {
        const Target target = target_of(run, view.outputs[i], tile);
        const float* src = run.at[view.outputs[i].source];
        if (src == target.data) continue;
        const int64_t src_stride = run.stride(view.outputs[i].layout, tile);
        if (view.outputs[i].bf16)
            scatter(halves_of(target.data), target.stride, halves_of(run.at[view.outputs[i].source]), src_stride, tile);
        else if (target.stride == tile.channels && src_stride == tile.channels)
            copy_values(target.data, src, tile.values());
        else
            scatter(target.data, target.stride, src, src_stride, tile);
    }
}

/// Has the operands fetched that are read, or written without having been read, from the second tile on.
void look_ahead(Run& run, int64_t first_tile) {
    const ProgramView& view = run.view;
    const int64_t pixel = run.chunk.sample * view.pixels + run.chunk.first_pixel + first_tile;
    const auto add = [&](const void* data, int64_t stride, bool bf16) {
        const int64_t size = bf16 ? 2 : 4;
        run.ahead.add(element(data, pixel * stride + run.chunk.first_channel, bf16), run.channels * size, stride * size,
                      bf16);
    };
    for (int32_t i = 0; i < view.input_count; ++i) {
        const ViewInput& input = view.inputs[i];
        if (input.access == Access::full && input.operand >= 0 && !input.fetched && !input.bytes)
            add(run.buffers.inputs[input.operand], input.pixel_stride, input.bf16);
    }
    for (int32_t i = 0; i < view.output_count; ++i) {
        const ViewOutput& output = view.outputs[i];
        if (output.operand < 0 || output.fetched) continue;
        const void* data = run.buffers.outputs[output.operand];
        bool is_read = false;
        for (int32_t j = 0; j < view.input_count; ++j)
            is_read |= view.inputs[j].operand >= 0 && run.buffers.inputs[view.inputs[j].operand] == data;
        if (!is_read) add(data, output.pixel_stride, output.bf16);
    }
}

void run(const ProgramView& view, const Buffers& buffers, const Chunk& chunk, float* scratch, double* slot) noexcept {
    const int64_t channels = chunk.channels > 0 ? chunk.channels : view.channels;
    bool direct[256];
    float* places[register_limit];  // set as the tile's values come to be: every register is made before it is read
    Run state{view,
              buffers,
              chunk,
              scratch,
              channels,
              chunk.core_stride > 0 ? chunk.core_stride : channels,
              chunk.sink_stride > 0 ? chunk.sink_stride : channels,
              block_values % channels == 0,
              walks_in_place(view, buffers, channels),
              places,
              direct,
              {}};
    for (int32_t i = 0; i < view.output_count; ++i) direct[i] = is_direct(view, buffers, view.outputs[i]);
    const int64_t step = tile_pixels(view, channels);
    const int64_t width = channels < view.row_floats ? channels : view.row_floats;
    const int64_t end = chunk.first_pixel + chunk.pixels;
    if (width == channels) look_ahead(state, step < chunk.pixels ? step : chunk.pixels);
    Sums sums(view, scratch, slot, chunk.first_channel, channels);
    for (int64_t pixel = chunk.first_pixel; pixel < end; pixel += step) {
        const int64_t pixels = end - pixel < step ? end - pixel : step;
        sums.expect(pixels);
        for (int64_t offset = 0; offset < channels; offset += width) {
            const int64_t part = channels - offset < width ? channels - offset : width;
            run_tile(state, sums, {pixel, pixels, chunk.first_channel + offset, part});
        }
        sums.advance(pixels);
    }
    sums.flush();
}

}  // namespace

const PointwiseTable* LIVEN_ISA_NAME(pointwise_table)() {
    static const PointwiseTable table{prepare, run, &link_table()};
    return &table;
}

}  // namespace liven::kernels
