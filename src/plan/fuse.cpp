#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>

#include "fuse_programs.hpp"
#include "fused.hpp"
#include "homes.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/operation.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/shape.hpp"
#include "narrow_maps.hpp"
#include "recompute.hpp"
#include "src/graph/rewrite.hpp"
#include "src/reference/table.hpp"

namespace liven::detail {
namespace {

/// Operands of pointwise operations that no access can read (a vector along a middle axis, say) are stretched first.
Graph make_readable(const Graph& graph) {
    return rewrite(graph, [](const Node& node, const ValueList& inputs) -> ValueList {
        if (!node.operation->pointwise) return {};
        const Shape& domain = node.outputs[0].type.shape;
        ValueList readable;
        bool changed = false;
        for (const Value& input : inputs) {
            const bool fits = access_of(input.shape(), domain).has_value();
            readable.push_back(fits ? input : broadcast_to(Tensor(input), domain).value());
            changed |= !fits;
        }
        return changed ? results_of(clone(node, readable)) : ValueList{};
    });
}

/// Groups sorted so that producers come first.
std::vector<Group> in_order(std::vector<Group> groups) {
    std::map<std::pair<const Node*, uint32_t>, size_t> maker;
    for (size_t i = 0; i < groups.size(); ++i)
        for (const GroupOperand& output : groups[i].outputs) maker[{output.value.node.get(), output.value.output}] = i;
    std::vector<int> state(groups.size(), 0);
    std::vector<Group> sorted;
    const auto visit = [&](auto&& self, size_t i) -> void {
        if (state[i] == 2) return;
        if (state[i] == 1) throw Error("fuse", "groups depend on each other in a circle: " + groups[i].str());
        state[i] = 1;
        for (const GroupOperand& input : groups[i].inputs) {
            const auto found = maker.find({input.value.node.get(), input.value.output});
            if (found != maker.end() && found->second != i) self(self, found->second);
        }
        state[i] = 2;
        sorted.push_back(std::move(groups[i]));
    };
    for (size_t i = 0; i < groups.size(); ++i) visit(visit, i);
    return sorted;
}

std::string refusals(const kernels::Choice& choice) {
    std::string text;
    for (const auto& [kernel, reason] : choice.refused)
        text += (text.empty() ? "" : "; ") + std::string(kernel->name) + ": " + reason;
    return text.empty() ? "no kernel for this operation" : text;
}

/// "estimated 12 % slower"
std::string how_slow(double times, bool measured) {
    const auto percent = std::lround(100 * (times - 1));
    return std::string(measured ? "measured " : "estimated ") +
           (percent < 1 ? "no faster" : std::to_string(percent) + " % slower");
}

/// Why the kernel and no other: behind all passes that may have given the group another one.
void note_choice(Group& group, const EngineOptions& options) {
    if (group.in_place) return;
    const kernels::Choice choice = kernels::choose(group.problem(options.strict_math), options.isa);
    std::vector<std::string> notes;
    for (const auto& [kernel, reason] : choice.refused)
        notes.emplace_back("not " + std::string(kernel->name) + ": " + reason);
    for (const auto& [kernel, times] : choice.slower)
        notes.emplace_back("not " + std::string(kernel->name) + ": " + how_slow(times, choice.measured));
    if (choice.measured) notes.emplace_back("chosen by the times of the tuning table");
    if (!choice.near.empty()) notes.emplace_back("costs as measured over " + choice.near);
    group.notes.insert(group.notes.begin(), notes.begin(), notes.end());
}

/// The same group reading operand i instead of making it.
Group without_prologue(Group group, size_t i) {
    const auto moved = [i](int operand) { return operand >= static_cast<int>(i) ? operand + 1 : operand; };
    group.has_prologue[i] = false;
    group.inputs.insert(group.inputs.begin() + static_cast<ptrdiff_t>(i),
                        {Value(group.core->inputs[i]), group.prologue_shape[i]});
    for (kernels::Program* program : {&group.prologue[0], &group.prologue[1], &group.epilogue})
        for (kernels::ProgramInput& input : program->inputs) input.operand = moved(input.operand);
    return group;
}

/// Whether some kernel takes the group's epilogue once it need not make its operands.
bool would_take_epilogue(Group group, const EngineOptions& options) {
    for (size_t i = 0; i < 2; ++i)
        if (group.has_prologue[i]) group = without_prologue(std::move(group), i);
    return kernels::choose(group.problem(options.strict_math), options.isa).chosen;
}

/// Gives the group its kernel. When none takes it with its programs, `forbidden` learns which merge to leave out.
bool choose_kernel(Group& group, const EngineOptions& options, Regions::Forbidden& forbidden) {
    const kernels::Choice choice = kernels::choose(group.problem(options.strict_math), options.isa);
    group.kernel = choice.chosen;
    if (group.kernel) return true;
    const Node* core = group.core.get();
    if (!core)
        throw Error("pointwise",
                    "no kernel runs this program: " + group.epilogue.str() + " (" + refusals(choice) + ")");
    std::string what;
    const bool makes_operands = group.has_prologue[0] || group.has_prologue[1];
    if (group.has_epilogue && !(makes_operands && would_take_epilogue(group, options))) {
        forbidden.epilogue.insert(core);
        what = "epilogue not merged: ";
    } else if (makes_operands) {
        for (int i = 0; i < 2; ++i)
            if (group.has_prologue[i]) forbidden.prologue.insert({core, i});
        what = "prologue not merged: ";
    } else {
        if (!reference::function<float>(core->operation->name()))
            throw Error(core->operation->name(), "there is neither a kernel nor a reference for this operation");
        return true;
    }
    forbidden.reasons[core].push_back(what + refusals(choice));
    return false;
}

/// Says why a gradient is written out that a step of training would otherwise leave in registers.
void note_stored_gradient(Group& group, const Graph& graph) {
    const Node* core = group.core.get();
    if (!core || !is_wide_product({group.core, 0})) return;
    // By ops::ProductNorm or, with many rows, from the product turned round (factor_norms).
    const auto takes_norm = [&](const Node* node) {
        const auto reads = [&](size_t first) {
            return node->inputs[first] == core->inputs[0] && node->inputs[1 - first] == core->inputs[1];
        };
        return (node->operation == &operation<ops::ProductNorm>() && reads(0)) ||
               (node->operation == core->operation && reads(1));
    };
    const auto& nodes = graph.order();
    if (std::any_of(nodes.begin(), nodes.end(), takes_norm)) return;
    group.notes.emplace_back("the gradient of this layer is stored: it is accumulated, or a handle keeps it");
}

void sum_costs(Group& group, const Regions& regions, size_t region) {
    if (group.core) group.flops += cost_of(*group.core).flops;
    for (const Node* node : regions.members(region)) group.flops += cost_of(*node).flops;
    for (const GroupOperand& input : group.inputs) group.bytes += static_cast<double>(input.value.type().bytes());
    for (const GroupOperand& output : group.outputs) group.bytes += static_cast<double>(output.value.type().bytes());
}

std::string name_in(const std::map<std::pair<const Node*, uint32_t>, std::string>& names, const Value& value) {
    const auto found = names.find({value.node.get(), value.output});
    return found == names.end() ? describe(*value.node) : found->second;
}

/// "[16:32]" behind an operand that is some channels of a wider one.
std::string channels_in(const GroupOperand& operand) {
    if (operand.dense()) return {};
    return "[" + std::to_string(operand.offset) + ":" + std::to_string(operand.offset + operand.shape[-1]) + " of " +
           std::to_string(operand.pixel_stride) + "]";
}

}  // namespace

std::string_view Group::op() const { return core ? core->operation->name() : std::string_view("pointwise"); }

kernels::Problem Group::problem(bool strict_math) const {
    kernels::Problem problem;
    problem.op = op();
    const auto operand = [](const GroupOperand& o) {
        const int64_t channels = o.shape.rank() == 0 ? 1 : o.shape[-1];
        return kernels::Operand{
            .shape = o.shape, .dtype = o.dtype(), .pixel_stride = o.dense() ? channels : o.pixel_stride};
    };
    for (const GroupOperand& input : inputs) problem.inputs.push_back(operand(input));
    for (const GroupOperand& output : outputs) problem.outputs.push_back(operand(output));
    problem.attributes = core ? core->attributes : nullptr;
    for (int i = 0; i < 2; ++i)
        if (has_prologue[i]) {
            problem.prologue[i] = &prologue[i];
            problem.prologue_shape[i] = prologue_shape[i];
        }
    if (has_epilogue) {
        problem.epilogue = &epilogue;
        problem.epilogue_shape = domain;
    }
    problem.strict_math = strict_math;
    return problem;
}

std::string Group::str() const {
    std::string text = core ? describe(*core) : "pointwise";
    if (in_place) return text + " in place";
    for (int i = 0; i < 2; ++i)
        if (has_prologue[i]) text += " <- operand " + std::to_string(i) + " {" + prologue[i].str() + "}";
    if (has_epilogue) text += " -> {" + epilogue.str() + "}";
    return text;
}

std::string FusedGraph::str() const {
    std::ostringstream out;
    std::map<std::pair<const Node*, uint32_t>, std::string> names;
    int next = 0;
    for (const NodePtr& leaf : graph.leaves) {
        names[{leaf.get(), 0}] = "%" + std::to_string(next);
        out << '%' << next++ << " = " << describe(*leaf) << "   " << leaf->outputs[0].type.shape << '\n';
    }
    for (const Group& group : groups) {
        std::string results, shapes;
        for (const GroupOperand& output : group.outputs) {
            std::string& name = names[{output.value.node.get(), output.value.output}] = "%" + std::to_string(next++);
            results += (results.empty() ? "" : ", ") + name + channels_in(output);
            shapes += (shapes.empty() ? "" : ", ") + output.shape.str() + (output.bf16 ? " bf16" : "");
        }
        out << results << " = " << group.str() << '(';
        for (size_t i = 0; i < group.inputs.size(); ++i)
            out << (i ? ", " : "") << name_in(names, group.inputs[i].value) << channels_in(group.inputs[i]);
        out << ")   " << shapes;
        if (*group.scope) out << "   # " << group.place();
        out << '\n';
        for (const std::string& note : group.notes) out << "      " << note << '\n';
    }
    constexpr double mebibyte = 1024.0 * 1024.0;
    if (recomputed.stored_bytes >= mebibyte)
        out << std::fixed << std::setprecision(2)
            << "computed again rather than stored: " << recomputed.stored_bytes / mebibyte << " MiB of maps, "
            << recomputed.moved_bytes / mebibyte << " MiB less to read and write\n";
    for (const Graph::Root& root : graph.roots)
        out << "return " << name_in(names, storage_of(root.value))
            << (root.assigns >= 0 ? " -> state %" + std::to_string(root.assigns) : "") << '\n';
    return out.str();
}

std::string FusedGraph::graphviz() const {
    std::ostringstream out;
    out << "digraph plan {\n  node [shape=box, fontname=\"sans-serif\"];\n";
    std::map<std::pair<const Node*, uint32_t>, size_t> maker;
    for (size_t i = 0; i < groups.size(); ++i) {
        const Group& group = groups[i];
        out << "  g" << i << " [label=\"" << group.op();
        if (group.has_prologue[0] || group.has_prologue[1]) out << "\\nwith prologue";
        if (group.has_epilogue && group.core) out << "\\nwith epilogue";
        out << "\\n" << group.scope << '"' << (group.is_gradient ? ", color=\"#b05020\"" : "") << "];\n";
        for (const GroupOperand& output : group.outputs) maker[{output.value.node.get(), output.value.output}] = i;
        for (const GroupOperand& input : group.inputs) {
            const auto found = maker.find({input.value.node.get(), input.value.output});
            if (found != maker.end())
                out << "  g" << found->second << " -> g" << i << " [label=\"" << input.shape << "\"];\n";
        }
    }
    out << "}\n";
    return out.str();
}

FusedGraph fuse(const Graph& simplified, const EngineOptions& options) {
    const Graph graph = make_readable(simplified);
    Regions::Forbidden forbidden;
    for (;;) {
        const Regions regions(graph, forbidden, !options.detect_anomaly);
        std::vector<Group> groups;
        bool accepted = true;
        for (size_t i = 0; i < regions.group_count(); ++i) {
            Group group = GroupBuilder(regions, i).build();
            if (group.outputs.empty()) continue;
            accepted &= choose_kernel(group, options, forbidden);
            if (group.core && forbidden.reasons.contains(group.core.get()))
                for (const std::string& reason : forbidden.reasons.at(group.core.get())) group.notes.push_back(reason);
            if (std::string why = regions.why_apart(i); !why.empty()) group.notes.push_back(std::move(why));
            note_stored_gradient(group, graph);
            sum_costs(group, regions, i);
            groups.push_back(std::move(group));
        }
        if (!accepted) continue;
        FusedGraph fused{.graph = graph, .groups = std::move(groups), .recomputed = recomputed_maps(regions)};
        if (!options.detect_anomaly) {
            recompute_cheap(fused, options);
            assign_homes(fused, options);
            if (options.dtype == DType::bf16) narrow_maps(fused, options);
        }
        for (Group& group : fused.groups) note_choice(group, options);
        fused.groups = in_order(std::move(fused.groups));
        return fused;
    }
}

}  // namespace liven::detail
