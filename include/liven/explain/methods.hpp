#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "liven/core/shape.hpp"
#include "liven/explain/heat.hpp"
#include "liven/nn/module.hpp"

/// Where in a picture a network sees what it decides by. All of it works on any network that answers
/// Objective::evidence (every classifier does), at rest, one sample at a time: `sample` is 1 x H x W x C, of clips
/// 1 x T x H x W x C, as the network sees it. What is explained is the evidence for one class, 0 bona fide or 1 attack.
namespace liven::saliency {

/// A result within the network that has a height and a width.
struct LayerMap {
    std::string layer;  ///< path of the layer or block
    Shape shape;        ///< N x H x W x C; the frames of a clip count in N
};
/// Of every named layer and block that has one, in the order of computation, those of one pixel left out.
std::vector<LayerMap> maps_of(Module& model, const Shape& sample);
/// The last convolutional map: of the results as large as the smallest map of a convolution, the last one, with its
/// bias, norm, activation and shortcut. Of a network that draws a map itself, that is where it is most condensed.
/// Throws Error when there is no convolution with a map of more than a pixel.
std::string last_convolutional_map(Module& model, const Shape& sample);

/// Gradient-weighted class activation map (Selvaraju et al. 2017): relu(sum over channels of a_k A_k), a_k the mean
/// over pixels of the gradient of the evidence with respect to channel k of the map A.
struct GradCamOptions {
    int64_t label = 1;
    std::string layer = {};  ///< empty: last_convolutional_map
};
struct GradCam {
    Heat heat;  ///< as large as the layer's map
    std::string layer;
};
/// Throws Error naming the nearest layer when there is none of that name.
GradCam grad_cam(Module& model, const Tensor& sample, const GradCamOptions& options = {});

/// The gradient of the evidence with respect to the sample, of its shape. Guided (Springenberg et al. 2015): behind
/// each rectifier only the positive part of the gradient goes back. For ReLU that is their rule; LeakyReLU and PReLU
/// let it pass times their slope where their input is negative, as their own gradient does.
struct GradientOptions {
    int64_t label = 1;
    bool guided = true;
};
std::vector<float> input_gradient(Module& model, const Tensor& sample, const GradientOptions& options = {});

/// How much of the evidence goes when a square of the picture is covered (Zeiler and Fergus 2014): evidence of the
/// whole picture less that of the covered one, for each pixel the mean over the squares that cover it. Squares lie
/// `stride` apart, the last ones against the border; they have the picture's mean colour. A clip is covered in all its
/// frames at the same place.
struct OcclusionOptions {
    int64_t label = 1;
    int64_t patch = 0;   ///< pixels a side; 0: an eighth of the shorter side
    int64_t stride = 0;  ///< 0: half a patch
    int64_t batch = 8;   ///< covered pictures at a time
};
/// Throws Error when a patch does not fit into the picture.
Heat occlusion(Module& model, const Tensor& sample, const OcclusionOptions& options = {});

/// All of them by name. `gradient` and `guided` show the largest magnitude of a pixel's channels; `guided_grad_cam` is
/// guided times the map of grad_cam.
enum class Method : uint8_t { grad_cam, gradient, guided, guided_grad_cam, occlusion };
/// "grad-cam", "gradient", "guided", "guided-grad-cam", "occlusion".
std::string_view name_of(Method method);
/// Throws Error naming the choices.
Method method_from(std::string_view name);

struct Options {
    Method method = Method::grad_cam;
    int64_t label = 1;
    std::string layer = {};         ///< of grad_cam and guided_grad_cam
    int64_t patch = 0, stride = 0;  ///< of occlusion
};
struct Explanation {
    Method method = Method::grad_cam;
    Heat heat;                ///< as large as the sample, a map a frame
    std::string layer = {};   ///< the map looked at, of those methods that look at one
    bool both_signs = false;  ///< whether numbers below 0 speak against the class
};
/// Throws Error when what the network gives is not finite.
Explanation explain(Module& model, const Tensor& sample, const Options& options);

}  // namespace liven::saliency
