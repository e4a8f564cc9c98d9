#pragma once

#include "liven/nn/module.hpp"
#include "liven/ops/gru.hpp"

namespace liven {

/// Gated recurrent unit over N x T x I, from a state of zeros. Parameters as in ops/gru.hpp: kernel (I x 3U),
/// recurrent_kernel (U x 3U), bias and recurrent_bias (3U each; the latter only with reset_after).
class Gru : public Module {
public:
    struct Options {
        int64_t units = 1;
        bool reset_after = true;
        bool all_steps = false;  ///< the result is N x T x U, all states, instead of N x U, the last
        Initializer initializer = Initializer::glorot_uniform();
        Initializer recurrent_initializer = Initializer::orthogonal();
        float l2 = 0;
    };
    Gru(Module& parent, std::string_view name, const Options& options) : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "GRU"; }

    /// Copies weights into a built layer; gru_from_keras and gru_from_pytorch make them. Throws Error when it has not
    /// been built or a shape differs.
    void assign(const GruWeights& weights);

protected:
    Tensor forward(Tensor x) override;

private:
    Options options_;
    Parameter kernel_, recurrent_kernel_, bias_, recurrent_bias_;
};

}  // namespace liven
