#include "reference_plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "anomaly.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/constant.hpp"
#include "liven/graph/operation.hpp"
#include "src/reference/table.hpp"

namespace liven::detail {
namespace {

template <class T>
size_t bytes_of(const TensorType& type) {
    const size_t width = type.dtype == DType::f32 ? sizeof(T) : size_of(type.dtype);
    return static_cast<size_t>(type.shape.count()) * width;
}

template <class T>
void run_constant(const Node& node, const reference::Array<T>& out) {
    for (int64_t i = 0; i < out.count(); ++i) out.real()[i] = static_cast<T>(node.as<ops::Constant>().value);
}

/// Runs the nodes of one graph in order, each result in a buffer of its own that lives as long as it is needed.
template <class T>
class Interpreter {
public:
    explicit Interpreter(Graph graph) : graph_(std::move(graph)), order_(graph_.order()), last_use_(order_.size(), 0) {
        values_.resize(order_.size());
        for (const Node* node : order_)
            for (const Value& input : node->inputs)
                last_use_[static_cast<size_t>(input.node->index)] = static_cast<size_t>(node->index);
        for (const Graph::Root& root : graph_.roots)
            last_use_[static_cast<size_t>(root.value.node->index)] = order_.size();
        for (size_t i = 0; i < graph_.leaves.size(); ++i) {
            const auto used = std::find(order_.begin(), order_.end(), graph_.leaves[i].get());
            if (used != order_.end()) leaf_nodes_.emplace_back(static_cast<size_t>(used - order_.begin()), i);
        }
        for (size_t i = 0; i < order_.size(); ++i) steps_.push_back(step_for(*order_[i]));
    }

    void run(std::span<const void* const> leaves, bool detect_anomaly) {
        for (const auto& [place, leaf] : leaf_nodes_)
            values_[place] = {{.storage = {}, .data = const_cast<void*>(leaves[leaf])}};
        for (size_t i = 0; i < order_.size(); ++i) {
            if (!order_[i]->is_leaf()) compute(i, detect_anomaly);
            for (const Value& input : order_[i]->inputs) {
                const auto from = static_cast<size_t>(input.node->index);
                if (last_use_[from] == i && !input.node->is_leaf()) values_[from].clear();
            }
        }
    }

    const void* value(const Value& value) const {
        return values_[static_cast<size_t>(value.node->index)][value.output].data;
    }
    const Graph& graph() const { return graph_; }
    void release() {
        for (auto& value : values_) value.clear();
    }

private:
    struct Result {
        Buffer storage;
        void* data = nullptr;
    };

    static reference::Function<T> step_for(const Node& node) {
        if (node.is_leaf() || node.operation->view || node.operation == &operation<ops::Constant>()) return nullptr;
        if (const auto function = reference::function<T>(node.operation->name())) return function;
        throw Error(node.operation->name(), "the reference executor has no loops for this operation");
    }

    void compute(size_t i, bool detect_anomaly) {
        const Node& node = *order_[i];
        std::vector<reference::Array<T>> in, out;
        for (const Value& input : node.inputs)
            in.push_back({input.shape(), values_[static_cast<size_t>(input.node->index)][input.output].data});
        std::vector<Result> results;
        for (const Node::Output& output : node.outputs) {
            Buffer storage(bytes_of<T>(output.type));
            out.push_back({output.type.shape, storage.data()});
            results.push_back({storage, storage.data()});
        }
        if (node.operation->view)
            std::memcpy(out[0].data, in[0].data, bytes_of<T>(node.outputs[0].type));
        else if (steps_[i])
            steps_[i](node.attributes, in, out);
        else
            run_constant(node, out[0]);
        if (detect_anomaly) check_outputs(node, out);
        values_[i] = std::move(results);
    }

    static void check_outputs(const Node& node, const std::vector<reference::Array<T>>& out) {
        for (size_t k = 0; k < out.size(); ++k)
            if (node.outputs[k].type.dtype == DType::f32)
                for (int64_t j = 0; j < out[k].count(); ++j)
                    if (!std::isfinite(out[k].real()[j])) throw_anomaly(node, static_cast<double>(out[k].real()[j]), j);
    }

    Graph graph_;
    std::vector<Node*> order_;
    std::vector<size_t> last_use_;
    std::vector<std::pair<size_t, size_t>> leaf_nodes_;
    std::vector<reference::Function<T>> steps_;
    std::vector<std::vector<Result>> values_;
};

class ReferencePlan final : public Plan {
public:
    ReferencePlan(const Graph& lowered, bool detect_anomaly) : interpreter_(lowered), detect_anomaly_(detect_anomaly) {}

    void run(std::span<const void* const> leaves, std::span<void* const> roots) override {
        interpreter_.run(leaves, detect_anomaly_);
        for (size_t i = 0; i < roots.size(); ++i) {
            const Value& value = interpreter_.graph().roots[i].value;
            std::memcpy(roots[i], interpreter_.value(value), static_cast<size_t>(value.type().bytes()));
        }
        interpreter_.release();
    }
    bool in_place(size_t) const override { return false; }
    PlanMemory memory() const override { return {}; }
    std::string str() const override { return "reference executor, node by node\n" + interpreter_.graph().str(); }

private:
    Interpreter<float> interpreter_;
    bool detect_anomaly_;
};

}  // namespace

std::unique_ptr<Plan> make_reference_plan(const Graph& lowered, const EngineOptions& options) {
    return std::make_unique<ReferencePlan>(lowered, options.detect_anomaly);
}

std::vector<std::vector<double>> run_in_double(const Graph& lowered, std::span<const void* const> leaves) {
    Interpreter<double> interpreter(lowered);
    interpreter.run(leaves, false);
    std::vector<std::vector<double>> results;
    for (const Graph::Root& root : interpreter.graph().roots) {
        const auto* data = static_cast<const double*>(interpreter.value(root.value));
        results.emplace_back(data, data + root.value.shape().count());
    }
    return results;
}

}  // namespace liven::detail
