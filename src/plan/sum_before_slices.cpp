#include "sum_before_slices.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "src/graph/rewrite.hpp"

// The gradient G of a concatenation goes on to its parts in slices, and the bias of a part z asks for the sum of what
// the activation's gradient f makes of its slice. Where the step that makes G reads the concatenation anyway, as it
// does behind a batch-norm, that sum rides there and is no pass over z and the slice of its own:
//     sum(f(z, slice(G))) = slice(sum(f(concat(.., z, ..), G)))

namespace liven::detail {
namespace {

/// What has no pole, so that the other channels' sums, which nobody reads, are numbers too.
bool is_tame(const Node& node) {
    if (node.is_leaf() || !node.operation->pointwise) return false;
    constexpr std::string_view tame[] = {"leaky_step", "mul",    "add",         "sub",
                                         "neg",        "square", "scale_const", "add_const"};
    return std::find(std::begin(tame), std::end(tame), node.operation->name()) != std::end(tame);
}

bool sums_by_channel(const Node& node) {
    if (!is<ops::ReduceSum>(node)) return false;
    const int last = node.inputs[0].shape().rank() - 1;
    return last >= 1 && !(node.as<ReduceAttributes>().axes >> last & 1u);
}

/// Visits the values that pointwise operations of one shape make a value of, itself first.
template <class Visit>
void walk(const Value& value, const Visit& visit, std::set<const Node*>& seen) {
    if (!seen.insert(value.node.get()).second) return;
    visit(value);
    if (value.node->is_leaf() || !value.node->operation->pointwise) return;
    for (const Value& input : value.node->inputs)
        if (input.shape() == value.shape()) walk(input, visit, seen);
}

/// Of the values that make this one, those of an operation.
template <class Op>
std::vector<Value> makers(const Value& value) {
    std::vector<Value> found;
    std::set<const Node*> seen;
    const auto visit = [&](const Value& made) {
        if (!made.node->is_leaf() && is<Op>(made)) found.push_back(made);
    };
    walk(value, visit, seen);
    return found;
}

/// Some channels of all, in a gradient and in the concatenation that it is the gradient of.
class Channels {
public:
    Channels(const Value& slice, const Value& joined) : slice_(slice), whole_(slice.node->inputs[0]), joined_(joined) {}

    /// Whether the slice is one of channels, as wide as a part of the concatenation in the same place.
    bool fit() const {
        const Shape &some = slice_.shape(), &all = whole_.shape();
        for (int axis = 0; axis + 1 < all.rank(); ++axis)
            if (some[axis] != all[axis]) return false;
        return joined_.shape() == all && joined_.node->as<ops::Concat>().axis == all.rank() - 1 && part();
    }

    /// The value over all channels; empty when something else is read to make it.
    Value widened(const Value& value) const {
        if (value == slice_) return whole_;
        if (value == part()) return joined_;
        if (value.shape().count() == 1) return value;
        if (!is_tame(*value.node) || !(value.shape() == slice_.shape())) return {};
        ValueList inputs;
        for (const Value& input : value.node->inputs) {
            inputs.push_back(widened(input));
            if (!inputs.back()) return {};
        }
        return {reapply(*value.node, inputs), value.output};
    }

    /// These channels of what has all.
    Value of(const Value& all) const {
        const int last = all.shape().rank() - 1;
        return slice(Tensor(all), {.axis = last, .begin = begin(), .count = slice_.shape()[-1]}).value();
    }

private:
    int64_t begin() const {
        return slice_.node->as<ops::Slice>().begin[static_cast<size_t>(whole_.shape().rank() - 1)];
    }

    Value part() const {
        int64_t at = 0;
        for (const Value& input : joined_.node->inputs) {
            if (at == begin() && input.shape() == slice_.shape()) return input;
            at += input.shape()[-1];
        }
        return {};
    }

    const Value slice_, whole_, joined_;
};

Value summed_before_slice(const Node& sum, const Value& operand) {
    for (const Value& slice : makers<ops::Slice>(operand))
        for (const Value& joined : makers<ops::Concat>(slice.node->inputs[0])) {
            const Channels channels(slice, joined);
            if (!channels.fit()) continue;
            const PassScope scope(sum, false);
            if (const Value wide = channels.widened(operand)) return channels.of({reapply(sum, ValueList{wide}), 0});
        }
    return {};
}

}  // namespace

Graph sum_before_slices(const Graph& graph) {
    return rewrite(graph, [](const Node& node, const ValueList& in) -> ValueList {
        if (!sums_by_channel(node)) return {};
        const Value sum = summed_before_slice(node, in[0]);
        return sum ? ValueList{sum} : ValueList{};
    });
}

}  // namespace liven::detail
