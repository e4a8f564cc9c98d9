#include "liven/nn/session.hpp"

#include <algorithm>

#include "liven/core/bf16.hpp"
#include "liven/core/error.hpp"
#include "liven/nn/eval_mode.hpp"
#include "liven/ops/linear.hpp"

namespace liven {
namespace {

// Smaller weights stay in cache from run to run.
constexpr int64_t kWideWeights = 1 << 20;

/// States that are nothing but the right operand of products, and too large for a cache.
std::vector<const Node*> wide_weights(const Graph& graph) {
    std::vector<const Node*> wide, other;
    for (const Node* node : graph.order())
        for (size_t i = 0; i < node->inputs.size(); ++i) {
            const Node* leaf = node->inputs[i].node.get();
            const bool product =
                i == 1 && node->operation == &operation<ops::Matmul>() && !node->as<ops::Matmul>().transpose_b;
            const bool fits = product && leaf->is_state && leaf->outputs[0].type.shape.count() >= kWideWeights;
            (fits ? wide : other).push_back(leaf);
        }
    std::erase_if(wide, [&](const Node* leaf) { return std::find(other.begin(), other.end(), leaf) != other.end(); });
    return wide;
}

Buffer rounded(const float* values, int64_t count) {
    Buffer out(static_cast<size_t>(count) * sizeof(uint16_t));
    std::transform(values, values + count, out.as<uint16_t>(), to_bf16);
    return out;
}

}  // namespace

struct InferenceSession::Impl {
    Shape input, output;
    DType input_type = DType::f32;
    Buffer result;
    std::vector<Buffer> weights;      ///< shared with the model until it trains on
    std::vector<NodePtr> scalars;     ///< leaves that hold their number themselves
    std::vector<const void*> leaves;  ///< of the plan, in its order
    size_t input_leaf = 0;
    void* root = nullptr;
    std::unique_ptr<Plan> plan;

    std::span<const float> run(const void* samples, size_t count, DType type) {
        if (type != input_type)
            throw Error("InferenceSession",
                        "expected " + std::string(name_of(input_type)) + " values, got " + std::string(name_of(type)));
        if (static_cast<int64_t>(count) != input.count())
            throw Error("InferenceSession", "expected " + input.str() + " values, got " + std::to_string(count),
                        "a session is made for one shape: a last, smaller batch needs a session of its own");
        leaves[input_leaf] = samples;
        plan->run(leaves, {&root, 1});
        return {result.as<float>(), static_cast<size_t>(output.count())};
    }

    /// Rounds the wide leaves that products alone read.
    void narrow_weights(const Graph& graph) {
        const std::vector<const Node*> wide = wide_weights(graph);
        for (size_t i = 0; i < leaves.size(); ++i) {
            Node& leaf = *graph.leaves[i];
            if (std::find(wide.begin(), wide.end(), &leaf) == wide.end()) continue;
            leaf.outputs[0].type.dtype = DType::bf16;
            weights[i] = rounded(static_cast<const float*>(leaves[i]), leaf.outputs[0].type.shape.count());
            leaves[i] = weights[i].data();
        }
    }
};

InferenceSession::InferenceSession(Module& model, const Shape& sample, const Options& options)
    : impl_(std::make_unique<Impl>()) {
    if (options.dense_weights != DType::f32 && options.dense_weights != DType::bf16)
        throw Error("InferenceSession",
                    "expected dense weights in f32 or bf16, got " + std::string(name_of(options.dense_weights)));
    if (options.dtype != DType::f32 && options.dtype != DType::bf16)
        throw Error("InferenceSession", "expected maps in f32 or bf16, got " + std::string(name_of(options.dtype)));
    if (options.batch < 1)
        throw Error("InferenceSession", "expected a batch of at least 1, got " + std::to_string(options.batch));
    Impl& self = *impl_;
    self.input = batched(options.batch, sample);
    const NoGrad no_grad;
    const EvalMode mode(model);
    if (options.pixels) self.input_type = DType::u8;
    const Tensor x = Tensor::share(Buffer(static_cast<size_t>(self.input.count()) * size_of(self.input_type)),
                                   self.input, self.input_type);
    const Value y = model(options.pixels ? scale_pixels(x, *options.pixels) : x).value();
    self.output = y.shape();

    std::vector<Node*> order;
    visit_order(&y, &y + 1, order);
    bool reads_input = false;
    for (Node* node : order) {
        if (!node->is_leaf()) continue;
        if (node == x.node()) self.input_leaf = self.leaves.size(), reads_input = true;
        self.leaves.push_back(node->value());
        self.weights.push_back(node->outputs[0].storage);
        if (node->has_scalar) self.scalars.emplace_back(node);
    }
    if (!reads_input) throw Error("InferenceSession", "the model's output does not depend on its input");
    EngineOptions engine = Engine::current().options();
    engine.frozen_states = true;
    engine.strict_math |= options.strict_math;
    engine.dtype = options.dtype;
    const Graph graph = trace({y});
    if (options.dense_weights == DType::bf16 && engine.executor == ExecutorKind::planned) self.narrow_weights(graph);
    self.plan = make_plan(graph, engine);
    self.result = Buffer(static_cast<size_t>(y.type().bytes()));
    self.root = self.result.data();
}

InferenceSession::~InferenceSession() = default;
InferenceSession::InferenceSession(InferenceSession&&) noexcept = default;
InferenceSession& InferenceSession::operator=(InferenceSession&&) noexcept = default;

std::span<const float> InferenceSession::run(std::span<const float> samples) {
    return impl_->run(samples.data(), samples.size(), DType::f32);
}

std::span<const float> InferenceSession::run(std::span<const uint8_t> pixels) {
    return impl_->run(pixels.data(), pixels.size(), DType::u8);
}

const Shape& InferenceSession::input_shape() const { return impl_->input; }
const Shape& InferenceSession::output_shape() const { return impl_->output; }
PlanMemory InferenceSession::memory() const { return impl_->plan->memory(); }
MemoryMap InferenceSession::memory_map() const { return impl_->plan->memory_map(); }
void InferenceSession::set_profiling(bool on) { impl_->plan->set_profiling(on); }
std::vector<ProfileEntry> InferenceSession::profile() const { return impl_->plan->profile(); }
Timeline InferenceSession::timeline() const { return impl_->plan->timeline(); }

}  // namespace liven
