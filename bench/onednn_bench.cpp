// oneDNN over the operations of the models: convolutions in all three directions, as NHWC and in the layout it chooses
// (weights reordered beforehand either way), and matrix products of rows as they lie. Compiled against Debian's version
// 2 and, as onednn3_bench, against a version 3 where there is one; names in the results say which ran.
#include <omp.h>

#include <algorithm>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "bench/probe.hpp"
#include "bench/support/session.hpp"
#include "liven/core/buffer.hpp"

namespace {

using namespace liven;
using namespace liven::bench;
using dnnl::memory;

memory::dims dims(std::initializer_list<int64_t> extents) { return {extents}; }
/// oneDNN names extents N, C, H, W and O, I, H, W whatever the layout.
memory::dims nchw(const Shape& s) { return dims({s[0], s[3], s[1], s[2]}); }

/// A primitive with its arguments, ready to be run again and again.
struct Job {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;

    void give(int argument, const memory::desc& desc) {
        memory block(desc, engine);
        const Buffer numbers = filled(static_cast<int64_t>(desc.get_size() / sizeof(float)));
        std::copy_n(numbers.as<float>(), desc.get_size() / sizeof(float), static_cast<float*>(block.get_data_handle()));
        arguments.emplace(argument, block);
    }
    void run() {
        primitive.execute(stream, arguments);
        stream.wait();
    }
};

struct Layout {
    const char* name;
    memory::format_tag tag;
};
constexpr Layout kLayouts[] = {{"nhwc", memory::format_tag::nhwc}, {"chosen", memory::format_tag::any}};

#if DNNL_VERSION_MAJOR < 3
/// A primitive's description, of an operation's.
template <class Primitive, class... Arguments>
auto described(const dnnl::engine& engine, const Arguments&... arguments) {
    return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), engine);
}
/// A gradient's, which also takes that of the forward pass.
template <class Primitive, class Forward, class... Arguments>
auto described_behind(const Forward& forward, const dnnl::engine& engine, const Arguments&... arguments) {
    return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), engine, forward);
}
#else
template <class Primitive, class... Arguments>
auto described(const dnnl::engine& engine, const Arguments&... arguments) {
    return typename Primitive::primitive_desc(engine, arguments...);
}
template <class Primitive, class Forward, class... Arguments>
auto described_behind(const Forward& forward, const dnnl::engine& engine, const Arguments&... arguments) {
    return typename Primitive::primitive_desc(engine, arguments..., forward);
}
#endif

/// "onednn-2.6.3": of the library that runs, which need not be that of the headers.
std::string library() {
    const dnnl_version_t& v = *dnnl_version();
    return "onednn-" + std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
}

void make_conv2d(Job& job, const ShapeLine& line, memory::format_tag layout) {
    constexpr auto f32 = memory::data_type::f32;
    const Convolution c = convolution_of(line);
    const Window2d& w = c.window;
    const memory::desc src(nchw(c.src), f32, layout), dst(nchw(c.dst), f32, layout),
        weights(dims({c.weights[3], c.weights[2], c.weights[0], c.weights[1]}), f32, memory::format_tag::any);
    const auto strides = dims({w.stride.h, w.stride.w}), dilation = dims({w.dilation.h - 1, w.dilation.w - 1}),
               low = dims({w.padding.top, w.padding.left}), high = dims({w.padding.bottom, w.padding.right});
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    const auto forward = described<dnnl::convolution_forward>(job.engine, dnnl::prop_kind::forward_training, direct,
                                                              src, weights, dst, strides, dilation, low, high);
    if (line.op == "conv2d") {
        job.primitive = dnnl::convolution_forward(forward);
        job.give(DNNL_ARG_SRC, forward.src_desc());
        job.give(DNNL_ARG_WEIGHTS, forward.weights_desc());
        job.give(DNNL_ARG_DST, forward.dst_desc());
    } else if (line.op == "conv2d_input_grad") {
        const auto backward = described_behind<dnnl::convolution_backward_data>(
            forward, job.engine, direct, src, weights, dst, strides, dilation, low, high);
        job.primitive = dnnl::convolution_backward_data(backward);
        job.give(DNNL_ARG_DIFF_DST, backward.diff_dst_desc());
        job.give(DNNL_ARG_WEIGHTS, backward.weights_desc());
        job.give(DNNL_ARG_DIFF_SRC, backward.diff_src_desc());
    } else {
        const auto backward = described_behind<dnnl::convolution_backward_weights>(
            forward, job.engine, direct, src, weights, dst, strides, dilation, low, high);
        job.primitive = dnnl::convolution_backward_weights(backward);
        job.give(DNNL_ARG_SRC, backward.src_desc());
        job.give(DNNL_ARG_DIFF_DST, backward.diff_dst_desc());
        job.give(DNNL_ARG_DIFF_WEIGHTS, backward.diff_weights_desc());
    }
}

void make_matmul(Job& job, const ShapeLine& line) {
    constexpr auto f32 = memory::data_type::f32;
    const bool turn_a = line.integer("transpose_a", 0) != 0, turn_b = line.integer("transpose_b", 0) != 0;
    const Shape& dst = line.outputs[0];
    const int64_t k = line.inputs[0][turn_a ? 0 : 1];
    const auto tag = [](bool turned) { return turned ? memory::format_tag::ba : memory::format_tag::ab; };
    const memory::desc a(dims({dst[0], k}), f32, tag(turn_a)), b(dims({k, dst[1]}), f32, tag(turn_b)),
        c(dims({dst[0], dst[1]}), f32, memory::format_tag::ab);
    job.primitive = dnnl::matmul(described<dnnl::matmul>(job.engine, a, b, c));
    job.give(DNNL_ARG_SRC, a);
    job.give(DNNL_ARG_WEIGHTS, b);
    job.give(DNNL_ARG_DST, c);
}

Session::Made make(const ShapeLine& line, memory::format_tag layout, int threads) {
    omp_set_num_threads(threads);
    const auto job = std::make_shared<Job>();
    try {
        if (line.is_matmul())
            make_matmul(*job, line);
        else
            make_conv2d(*job, line, layout);
    } catch (const dnnl::error& error) {
        return {.work = {}, .refusal = error.what()};
    }
    return made(line, job);
}

void add_line(Session& session, const Shapes& model, const ShapeLine& line, int threads) {
    if (line.is_matmul() ? line.outputs[0].rank() != 2 : !line.is_conv2d() || convolution_of(line).groups != 1) return;
    for (const Layout& layout : kLayouts) {
        if (line.is_matmul() && layout.tag == memory::format_tag::any) continue;
        const Entry entry{.engine = "onednn",
                          .kernel = library() + (line.is_matmul() ? "_matmul" : std::string("_direct_") + layout.name),
                          .model = model.model,
                          .line = &line,
                          .direct = true};
        session.add(entry, threads, available_isas().back(),
                    [&line, tag = layout.tag, threads](Stopwatch&) { return make(line, tag, threads); });
    }
}

}  // namespace

int main(int argc, char** argv) { return run_lines("onednn_bench", argc, argv, add_line); }
