#include "liven/models/summary.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "liven/graph/operation.hpp"

namespace liven {
namespace {

/// Parameters and statistics of a layer: those whose names begin with its path.
struct Counts {
    int64_t all = 0, trainable = 0;
};
Counts count_states(Module& model, const std::string& path) {
    Counts counts;
    const std::string prefix = path + "/";
    for (const State& state : model.states())
        if (state.name().substr(0, prefix.size()) == prefix) counts.all += state.shape().count();
    for (const Parameter& parameter : model.parameters())
        if (parameter.name().substr(0, prefix.size()) == prefix) counts.trainable += parameter.shape().count();
    return counts;
}

class Summarizer {
public:
    Summarizer(Module& model, ModelSummary& summary) : model_(model), summary_(summary) {}

    void add_layer(const Module::LayerRecord& record) {
        const Counts counts = count_states(model_, record.layer->path());
        LayerSummary layer{.name = record.layer->path(),
                           .type = std::string(record.layer->type()),
                           .output = record.output.shape(),
                           .parameters = counts.all,
                           .trainable = counts.trainable};
        collect(record.output.node(), record.layer->path(), layer);
        layer.activation_bytes = record.output.type().bytes();
        push(layer);
    }

private:
    /// Adds the work of the nodes not seen yet; what was recorded outside any layer gets a line of its own.
    void collect(Node* node, const std::string& path, LayerSummary& layer) {
        if (node->is_leaf() || !seen_.insert(node).second) return;
        for (const Value& input : node->inputs) collect(input.node.get(), path, layer);
        if (std::string(node->scope) == path) {
            layer.flops += cost_of(*node).flops;
        } else if (!node->inputs.empty()) {
            const std::string scope = node->scope, name(node->operation->name());
            push({.name = scope.empty() ? name : scope + "/" + name,
                  .type = std::string(node->operation->name()),
                  .output = node->outputs[0].type.shape,
                  .flops = cost_of(*node).flops,
                  .activation_bytes = node->outputs[0].type.bytes()});
        }
    }

    void push(const LayerSummary& layer) {
        summary_.layers.push_back(layer);
        summary_.parameters += layer.parameters;
        summary_.trainable += layer.trainable;
        summary_.flops += layer.flops;
        summary_.activation_bytes += layer.activation_bytes;
    }

    Module& model_;
    ModelSummary& summary_;
    std::set<const Node*> seen_;
};

std::string with_separators(int64_t value) {
    std::string digits = std::to_string(value), out;
    for (size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out;
}

std::string row(const char* name, const std::string& type, const std::string& shape, const std::string& parameters,
                double flops, int64_t bytes) {
    char text[200];
    std::snprintf(text, sizeof text, "%-20s %-20s %-18s %13s %12.3f %11.2f\n", name, type.c_str(), shape.c_str(),
                  parameters.c_str(), flops / 1e6, static_cast<double>(bytes) / 1048576.0);
    return text;
}

}  // namespace

ModelSummary summarize(Module& model, const std::string& name, const Shape& input) {
    const NoGrad no_grad;
    const bool training = model.training();
    model.build(batched(1, input));
    model.eval();
    ModelSummary summary;
    summary.model = name;
    summary.input = input;
    const auto records = model.record_layers(Tensor::zeros(batched(1, input)));
    model.train(training);
    Summarizer summarizer(model, summary);
    for (const Module::LayerRecord& record : records) summarizer.add_layer(record);
    return summary;
}

std::string ModelSummary::table() const {
    char head[200];
    std::snprintf(head, sizeof head, "%-20s %-20s %-18s %13s %12s %11s\n", "layer", "type", "output", "parameters",
                  "MFLOP", "MiB");
    std::string text = model + "   input " + input.str() + "\n" + head;
    for (const LayerSummary& layer : layers)
        text += row(layer.name.c_str(), layer.type, layer.output.str(), with_separators(layer.parameters), layer.flops,
                    layer.activation_bytes);
    text += row("total", "", "", with_separators(parameters), flops, activation_bytes);
    return text + "trainable " + with_separators(trainable) + ", running statistics " +
           with_separators(parameters - trainable) + "; forward " + std::to_string(flops / 1e9).substr(0, 5) +
           " GFLOP an image\n";
}

}  // namespace liven
