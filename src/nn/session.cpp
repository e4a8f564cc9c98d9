#include "liven/nn/session.hpp"

#include "liven/core/error.hpp"

namespace liven {
namespace {

/// Puts a model into inference mode while it lives.
class InferenceMode {
public:
    explicit InferenceMode(Module& model) : model_(model), training_(model.training()) { model.eval(); }
    ~InferenceMode() { model_.train(training_); }
    InferenceMode(const InferenceMode&) = delete;
    InferenceMode& operator=(const InferenceMode&) = delete;

private:
    const NoGrad no_grad_;
    Module& model_;
    bool training_;
};

}  // namespace

struct InferenceSession::Impl {
    Shape input, output;
    Buffer result;
    std::vector<Buffer> weights;      ///< shared with the model until it trains on
    std::vector<NodePtr> scalars;     ///< leaves that hold their number themselves
    std::vector<const void*> leaves;  ///< of the plan, in its order
    size_t input_leaf = 0;
    void* root = nullptr;
    std::unique_ptr<Plan> plan;
};

InferenceSession::InferenceSession(Module& model, const Shape& sample, const Options& options)
    : impl_(std::make_unique<Impl>()) {
    if (options.batch < 1)
        throw Error("InferenceSession", "expected a batch of at least 1, got " + std::to_string(options.batch));
    Impl& self = *impl_;
    self.input = batched(options.batch, sample);
    const InferenceMode mode(model);
    const Tensor x = Tensor::share(Buffer(static_cast<size_t>(self.input.count()) * sizeof(float)), self.input);
    const Value y = model(x).value();
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
    self.plan = make_plan(trace({y}), engine);
    self.result = Buffer(static_cast<size_t>(y.type().bytes()));
    self.root = self.result.data();
}

InferenceSession::~InferenceSession() = default;
InferenceSession::InferenceSession(InferenceSession&&) noexcept = default;
InferenceSession& InferenceSession::operator=(InferenceSession&&) noexcept = default;

std::span<const float> InferenceSession::run(std::span<const float> samples) {
    Impl& self = *impl_;
    if (static_cast<int64_t>(samples.size()) != self.input.count())
        throw Error("InferenceSession",
                    "expected " + self.input.str() + " values, got " + std::to_string(samples.size()),
                    "a session is made for one shape: a last, smaller batch needs a session of its own");
    self.leaves[self.input_leaf] = samples.data();
    self.plan->run(self.leaves, {&self.root, 1});
    return {self.result.as<float>(), static_cast<size_t>(self.output.count())};
}

const Shape& InferenceSession::input_shape() const { return impl_->input; }
const Shape& InferenceSession::output_shape() const { return impl_->output; }
PlanMemory InferenceSession::memory() const { return impl_->plan->memory(); }
MemoryMap InferenceSession::memory_map() const { return impl_->plan->memory_map(); }
void InferenceSession::set_profiling(bool on) { impl_->plan->set_profiling(on); }
std::vector<ProfileEntry> InferenceSession::profile() const { return impl_->plan->profile(); }
Timeline InferenceSession::timeline() const { return impl_->plan->timeline(); }

}  // namespace liven
