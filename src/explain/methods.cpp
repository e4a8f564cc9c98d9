#include "liven/explain/methods.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "guide.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/nn/eval_mode.hpp"
#include "liven/nn/objective.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/resize.hpp"
#include "observed.hpp"

namespace liven::saliency {
namespace {

constexpr std::array<std::pair<Method, std::string_view>, 5> kMethods{{{Method::grad_cam, "grad-cam"},
                                                                       {Method::gradient, "gradient"},
                                                                       {Method::guided, "guided"},
                                                                       {Method::guided_grad_cam, "guided-grad-cam"},
                                                                       {Method::occlusion, "occlusion"}}};

Heat heat_of(const Tensor& maps) {
    const Shape& shape = maps.shape();
    return {.frames = shape[0], .height = shape[1], .width = shape[2], .values = maps.to_vector()};
}

/// The largest magnitude among the channels of each pixel.
Heat magnitudes(std::span<const float> values, const Shape& sample) {
    const int axes = sample.rank();
    const auto channels = static_cast<size_t>(sample[axes - 1]);
    Heat heat{.frames = frames_of(sample),
              .height = sample[axes - 3],
              .width = sample[axes - 2],
              .values = std::vector<float>(values.size() / channels)};
    for (size_t i = 0; i < values.size(); ++i)
        heat.values[i / channels] = std::max(heat.values[i / channels], std::abs(values[i]));
    return heat;
}

/// One map for all frames of a clip.
Heat repeated(Heat heat, int64_t frames) {
    const std::vector<float> one = heat.values;
    for (; heat.frames < frames; ++heat.frames) heat.values.insert(heat.values.end(), one.begin(), one.end());
    return heat;
}

void require_finite(std::span<const float> values, Method method) {
    if (std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) return;
    throw Error(std::string(name_of(method)), "expected finite numbers, but the network gives infinite ones or NaN",
                "did its training diverge?");
}

Explanation explanation_by(Module& model, const Tensor& sample, const Options& options) {
    const Shape& shape = sample.shape();
    const int axes = shape.rank();
    const int64_t frames = frames_of(shape), height = shape[axes - 3], width = shape[axes - 2];
    Explanation out{.method = options.method, .heat = {}};
    if (options.method == Method::occlusion) {
        const Heat once =
            occlusion(model, sample, {.label = options.label, .patch = options.patch, .stride = options.stride});
        out.heat = repeated(once, frames);
        out.both_signs = true;
        return out;
    }
    if (options.method == Method::grad_cam || options.method == Method::guided_grad_cam) {
        const GradCam cam = grad_cam(model, sample, {.label = options.label, .layer = options.layer});
        out.layer = cam.layer;
        out.heat = resized(cam.heat, height, width);
        if (options.method == Method::grad_cam) return out;
    }
    const bool is_guided = options.method != Method::gradient;
    const std::vector<float> gradient = input_gradient(model, sample, {.label = options.label, .guided = is_guided});
    require_finite(gradient, options.method);  // the largest magnitude passes over NaN
    Heat seen = magnitudes(gradient, shape);
    for (size_t i = 0; i < out.heat.values.size(); ++i) seen.values[i] *= out.heat.values[i];
    out.heat = std::move(seen);
    return out;
}

}  // namespace

std::string_view name_of(Method method) {
    return std::find_if(kMethods.begin(), kMethods.end(), [&](const auto& entry) { return entry.first == method; })
        ->second;
}

Method method_from(std::string_view name) {
    std::string names;
    for (const auto& [method, known] : kMethods) {
        if (known == name) return method;
        names += (names.empty() ? "" : ", ") + std::string(known);
    }
    throw Error("method", "expected " + names + ", got '" + std::string(name) + "'");
}

Heat resized(const Heat& heat, int64_t height, int64_t width) {
    const NoGrad no_grad;
    const Tensor maps = Tensor::from(heat.values, {heat.frames, heat.height, heat.width, 1});
    return heat_of(resize(maps, {.size = {height, width}, .mode = ResizeMode::bilinear}));
}

GradCam grad_cam(Module& model, const Tensor& sample, const GradCamOptions& options) {
    const int64_t frames = frames_of(sample.shape());
    const Observed observed = observe(model, sample);
    const ObservedMap& map = chosen(observed, options.layer);
    if (map.result.shape()[0] != frames)
        throw Error("layer", "expected a map a frame, " + std::to_string(frames) + ", but " + map.layer + " has " +
                                 map.result.shape().str());
    const Tensor evidence = sum(model.objective()->evidence(observed.output, options.label));
    const Gradients gradient = gradients(evidence, {map.result});
    const Tensor weights = mean(gradient[0], {.axes = {1, 2}, .keep_axes = true});
    const Tensor cam = relu(sum(weights * map.result, {.axes = {3}, .keep_axes = true}));
    return {.heat = heat_of(cam), .layer = map.layer};
}

std::vector<float> input_gradient(Module& model, const Tensor& sample, const GradientOptions& options) {
    frames_of(sample.shape());
    const EvalMode mode(model);
    const Tensor evidence = sum(model.objective()->evidence(model(sample), options.label));
    return gradients(options.guided ? guided(evidence) : evidence, {sample})[0].to_vector();
}

Explanation explain(Module& model, const Tensor& sample, const Options& options) {
    Explanation out = explanation_by(model, sample, options);
    require_finite(out.heat.values, options.method);
    return out;
}

}  // namespace liven::saliency
