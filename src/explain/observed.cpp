#include "observed.hpp"

#include <algorithm>
#include <set>

#include "liven/core/error.hpp"
#include "liven/explain/methods.hpp"
#include "liven/graph/graph.hpp"
#include "liven/io/suggest.hpp"
#include "liven/nn/eval_mode.hpp"

namespace liven::saliency {
namespace {

int64_t pixels_of(const Shape& map) { return map[1] * map[2]; }

std::vector<std::string> names_of(const Observed& observed) {
    std::vector<std::string> names;
    for (const ObservedMap& map : observed.maps) names.push_back(map.layer);
    return names;
}

std::string listed(const std::vector<std::string>& names) {
    constexpr size_t most = 8;
    std::string text;
    for (size_t i = names.size() - std::min(names.size(), most); i < names.size(); ++i)
        text += (text.empty() ? "" : ", ") + names[i];
    return names.size() > most ? "..., " + text : text;
}

const ObservedMap& last_of_smallest(const Observed& observed) {
    const ObservedMap* smallest = nullptr;
    for (const ObservedMap& map : observed.maps)
        if (map.convolution && (!smallest || pixels_of(map.result.shape()) < pixels_of(smallest->result.shape())))
            smallest = &map;
    if (!smallest)
        throw Error("explain", "the network has no convolution with a map of more than a pixel",
                    "guided gradients and occlusion need none");
    const Shape& least = smallest->result.shape();
    for (auto map = observed.maps.rbegin(); map != observed.maps.rend(); ++map)
        if (map->result.shape()[1] == least[1] && map->result.shape()[2] == least[2]) return *map;
    return *smallest;
}

/// Drops what the output does not depend on: a network that is trained beside it.
void keep_causes(Observed& observed) {
    std::vector<Node*> order;
    const Value output = observed.output.value();
    visit_order(&output, &output + 1, order);
    const std::set<const Node*> causes(order.begin(), order.end());
    for (std::vector<ObservedMap>* kept : {&observed.maps, &observed.rows})
        std::erase_if(*kept, [&](const ObservedMap& map) { return !causes.contains(map.result.node()); });
}

}  // namespace

Observed observe(Module& model, const Tensor& sample) {
    Observed observed;
    const EvalMode mode(model);
    observed.output = model.observe(sample, [&](const Module& module, const Tensor& result) {
        const bool map = result.rank() == 4 && pixels_of(result.shape()) > 1;
        if (module.path().empty() || (!map && result.rank() != 2)) return;
        std::vector<ObservedMap>& kept = map ? observed.maps : observed.rows;
        std::erase_if(kept, [&](const ObservedMap& earlier) { return earlier.layer == module.path(); });
        kept.push_back({.layer = module.path(), .convolution = module.type() == "Conv2D", .result = result});
    });
    keep_causes(observed);
    return observed;
}

const ObservedMap& chosen(const Observed& observed, const std::string& layer) {
    if (layer.empty()) return last_of_smallest(observed);
    for (const ObservedMap& map : observed.maps)
        if (map.layer == layer) return map;
    const std::vector<std::string> names = names_of(observed);
    const std::string near = did_you_mean(layer, names);
    throw Error("layer", "there is no map of the name '" + layer + "'",
                near.empty() ? "the last ones are " + listed(names) : near);
}

int64_t frames_of(const Shape& sample) {
    if ((sample.rank() != 4 && sample.rank() != 5) || sample[0] != 1)
        throw Error("explain", "expected one sample, 1 x H x W x C or 1 x T x H x W x C, got " + sample.str());
    return sample.rank() == 5 ? sample[1] : 1;
}

std::vector<LayerMap> maps_of(Module& model, const Shape& sample) {
    const NoGrad no_grad;
    std::vector<LayerMap> maps;
    for (const ObservedMap& map : observe(model, Tensor::zeros(batched(1, sample))).maps)
        maps.push_back({.layer = map.layer, .shape = map.result.shape()});
    return maps;
}

std::string last_convolutional_map(Module& model, const Shape& sample) {
    const NoGrad no_grad;
    return chosen(observe(model, Tensor::zeros(batched(1, sample))), "").layer;
}

}  // namespace liven::saliency
