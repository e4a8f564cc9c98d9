// OpenCV's dnn module over the forward convolutions of the models: a network of one layer, its own layout (N x C x H x
// W), its own choice of algorithm.
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include "bench/support/session.hpp"

namespace {

using namespace liven;
using namespace liven::bench;

cv::Mat random_blob(std::initializer_list<int64_t> extents) {
    std::vector<int> sizes;
    for (const int64_t extent : extents) sizes.push_back(static_cast<int>(extent));
    cv::Mat blob(sizes, CV_32F);
    cv::randu(blob, -1.0f, 1.0f);
    return blob;
}

cv::dnn::LayerParams layer_of(const Convolution& c) {
    const Window2d& w = c.window;
    cv::dnn::LayerParams layer;
    layer.name = "conv";
    layer.type = "Convolution";
    layer.set("num_output", static_cast<int>(c.dst[3]));
    layer.set("bias_term", false);
    layer.set("kernel_h", static_cast<int>(w.kernel.h));
    layer.set("kernel_w", static_cast<int>(w.kernel.w));
    layer.set("stride_h", static_cast<int>(w.stride.h));
    layer.set("stride_w", static_cast<int>(w.stride.w));
    layer.set("pad_t", static_cast<int>(w.padding.top));
    layer.set("pad_b", static_cast<int>(w.padding.bottom));
    layer.set("pad_l", static_cast<int>(w.padding.left));
    layer.set("pad_r", static_cast<int>(w.padding.right));
    layer.blobs.push_back(random_blob({c.weights[3], c.weights[2], c.weights[0], c.weights[1]}));
    return layer;
}

/// A network of one convolution. Without a new input it would answer from memory.
class Conv2dNet {
public:
    explicit Conv2dNet(const Convolution& c) : images_(random_blob({c.src[0], c.src[3], c.src[1], c.src[2]})) {
        cv::dnn::LayerParams layer = layer_of(c);
        net_.addLayerToPrev(layer.name, layer.type, layer);
        net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    }
    cv::Mat run() {
        net_.setInput(images_);
        return net_.forward();
    }

private:
    cv::dnn::Net net_;
    cv::Mat images_;
};

Session::Made make(const ShapeLine& line, int threads) {
    cv::setNumThreads(threads);
    const auto net = std::make_shared<Conv2dNet>(convolution_of(line));
    if (net->run().total() != static_cast<size_t>(line.outputs[0].count()))
        return {.work = {}, .refusal = "makes another shape"};
    return made(line, net);
}

void add_line(Session& session, const Shapes& model, const ShapeLine& line, int threads) {
    if (line.op != "conv2d" || convolution_of(line).groups != 1) return;
    const Entry entry{.engine = "opencv", .kernel = "opencv_dnn", .model = model.model, .line = &line};
    session.add(entry, threads, available_isas().back(), [&line, threads](Stopwatch&) { return make(line, threads); });
}

}  // namespace

int main(int argc, char** argv) { return run_lines("opencv_bench", argc, argv, add_line); }
