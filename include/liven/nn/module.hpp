#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "liven/graph/state.hpp"
#include "liven/nn/initializer.hpp"
#include "liven/ops/dropout.hpp"

namespace liven {

class Objective;

/// A part of a network that owns parameters or other modules: layers, blocks, whole models. A module is constructed
/// into its parent under a name; the path of names ("conv1_1/kernel") is what parameters are called in files, plans and
/// errors. A module without a parent is a model; its own name is no part of the paths.
///
///     class Block : public Module {
///         Conv2d conv{*this, "conv", {.filters = 16}};
///         Tensor forward(Tensor x) override { return relu(conv(x)); }
///     };
///
/// Layers learn the width of their input at the first call; `build` makes all parameters without computing anything.
class Module {
public:
    virtual ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    /// Applies the module within its scope.
    Tensor operator()(const Tensor& x);

    /// Makes every parameter for inputs of this shape (N x H x W x C; N does not matter). Throws Error when the shape
    /// does not fit.
    void build(const Shape& input);
    /// `build` without the initial values: enough to count, plan or load a model. The memory is only reserved, so that
    /// the shape of a model too large for the machine can be looked at.
    void outline(const Shape& input);

    /// What an optimiser trains, in the order of the members: not frozen, not marked untrainable.
    std::span<const Parameter> parameters();
    /// Everything a file must hold: all parameters, frozen or not, and running statistics, in the order of the members.
    std::span<const State> states();

    /// Training: batch statistics, dropout. A new model is in training mode.
    void train(bool on = true);
    void eval() { train(false); }
    /// A frozen module in training mode behaves as in inference and its parameters are not trained.
    void freeze(bool on = true);
    bool training() const;

    /// Key of initial values and dropout masks; set it before `build`.
    void seed(uint64_t value);
    uint64_t seed() const;
    /// L2 penalty on every trainable parameter that has none of its own (biases, gamma, beta); set it before `build`.
    void regularize(float l2);
    /// How many training forwards this model has made: with the seed it decides every dropout mask, so it belongs in a
    /// checkpoint.
    int64_t forward_count() const;
    void set_forward_count(int64_t count);

    const std::string& path() const { return path_; }
    /// What kind of layer this is, as Keras names it: "Conv2D", "Dense".
    virtual std::string_view type() const { return "Module"; }
    std::span<Module* const> children() const { return children_; }

    /// What the model is trained for and how its output is read (nn/objective.hpp): cross entropy of two or more
    /// classes unless a model says otherwise. The model must outlive it.
    virtual std::unique_ptr<Objective> objective();

    /// Forward that shows `observer` the result of every module within, whole blocks and the module itself too, in the
    /// order in which they are computed. What is kept of them stays a handle into the graph: gradients can be asked for
    /// it. Throws Error when a forward is observed already.
    using Observer = std::function<void(const Module& module, const Tensor& result)>;
    Tensor observe(const Tensor& x, const Observer& observer);
    /// A layer's result during one forward.
    struct LayerRecord {
        const Module* layer = nullptr;
        Tensor output;
    };
    /// Forward that also returns the result of every module without children, in the order of computation.
    std::vector<LayerRecord> record_layers(const Tensor& x);
    /// The same; `output` becomes the module's own result.
    std::vector<LayerRecord> record_layers(const Tensor& x, Tensor& output);

protected:
    Module() = default;
    Module(Module& parent, std::string_view name);

    virtual Tensor forward(Tensor x) = 0;

    /// One pass through a module: what is recorded while it lives stands in the module's scope, and its dropout masks
    /// are those of one forward. operator() opens one around forward(); a function with more results than one tensor
    /// opens its own:
    ///
    ///     Taps taps(const Tensor& x) { const Pass pass(*this); ... return {e1, e2, e3}; }
    class Pass {
    public:
        explicit Pass(Module& module);
        ~Pass();
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;

        /// Hands on the module's result, past whoever observes the forward.
        Tensor result(Tensor y) const;

    private:
        Module& module_;
        Module& model_;
        std::optional<Scope> scope_;
    };

    struct ParameterOptions {
        Initializer initializer = {};
        float l2 = 0;
        bool trainable = true;
    };
    /// Makes a parameter the first time; afterwards checks that the shape is still the same.
    Parameter& parameter(Parameter& slot, std::string_view name, const Shape& shape, const ParameterOptions& options);
    State& statistic(State& slot, std::string_view name, const Shape& shape, float initial);
    /// The key of this module's next dropout mask in this forward.
    DropoutKey dropout_key();

private:
    Module& root();
    const Module& root() const { return const_cast<Module*>(this)->root(); }
    void collect(std::vector<Parameter>& parameters, std::vector<State>& states) const;
    void refresh();

    Module* parent_ = nullptr;
    std::string path_;
    const char* scope_ = "";
    std::vector<Module*> children_;
    std::vector<Parameter*> own_parameters_;
    std::vector<State*> own_states_;
    bool frozen_ = false;

    // Of the root alone.
    bool training_ = true, changed_ = true, initialises_ = true;
    uint64_t seed_ = 0;
    float l2_ = 0;
    int64_t forward_count_ = 0;
    int64_t forward_serial_ = 0;  ///< forwards of this object; unlike the count, never set back
    std::vector<Parameter> parameters_;
    std::vector<State> states_;
    const Observer* observer_ = nullptr;
    Tensor seed_input_, forward_input_;
    int depth_ = 0;

    // Of dropout layers.
    int64_t dropout_forward_ = -1;
    uint32_t dropout_calls_ = 0;
};

/// lambda * sum(w^2) over the parameters that ask for it, as Keras adds it to the loss; undefined when none does.
Tensor l2_penalty(std::span<const Parameter> parameters);

}  // namespace liven
