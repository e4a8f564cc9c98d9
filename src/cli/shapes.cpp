#include "shapes.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "kernels/step.hpp"
#include "liven/graph/operation.hpp"

namespace liven::cli {
namespace {

/// Below this many elements a step takes microseconds, whatever its kernel.
constexpr int64_t kSmallest = 16384;

bool is_worth_timing(const Node& node) {
    if (node.is_leaf() || node.operation->view) return false;
    int64_t largest = 0;
    for (const Value& input : node.inputs) largest = std::max(largest, input.shape().count());
    for (const Node::Output& output : node.outputs) largest = std::max(largest, output.type.shape.count());
    if (largest < kSmallest) return false;
    const auto& kernels = kernels::registry();
    return node.operation->pointwise || std::any_of(kernels.begin(), kernels.end(), [&](const auto& kernel) {
               return kernel.op == node.operation->name();
           });
}

/// "conv2d[kernel=3x3 padding=1] 16x256x256x16 3x3x16x16 -> 16x256x256x16".
std::string line_of(const Node& node) {
    std::string text = describe(node);
    for (const Value& input : node.inputs) text += " " + input.shape().str();
    text += " ->";
    for (const Node::Output& output : node.outputs) text += " " + output.type.shape.str();
    return text;
}

}  // namespace

std::string shapes_of(const Graph& traced) {
    const Graph graph = simplify(lower(differentiate(traced)));
    std::vector<std::string> lines;
    std::map<std::string, int> count;
    for (const Node* node : graph.order()) {
        if (!is_worth_timing(*node)) continue;
        const std::string line = line_of(*node);
        if (++count[line] == 1) lines.push_back(line);
    }
    std::string text;
    for (const std::string& line : lines) text += line + " *" + std::to_string(count[line]) + "\n";
    return text;
}

}  // namespace liven::cli
