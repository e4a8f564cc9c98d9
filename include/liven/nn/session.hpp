#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/nn/module.hpp"
#include "liven/ops/pixels.hpp"

namespace liven {

/// A network compiled for inference on inputs of one shape. Nothing is traced when it runs: what follows from the
/// weights alone (batch-norm folded into convolutions, packed and transformed weights) is computed in the first run and
/// kept, and after it nothing is allocated.
///
///     InferenceSession session(model, {256, 256, 3});
///     std::span<const float> logits = session.run(pixels);
///
/// The session keeps the weights as they were when it was made: training the model afterwards does not change it. It
/// may outlive the model. One thread at a time may run it.
class InferenceSession {
public:
    struct Options {
        int64_t batch = 1;         ///< samples of a run
        bool strict_math = false;  ///< only kernels with the error of direct summation
        /// How the weights of wide dense layers are stored: DType::f32, or DType::bf16, which halves the bytes that one
        /// sample waits for. Weights are rounded to eight bits of precision, sums stay in f32.
        DType dense_weights = DType::f32;
        /// How the maps between the steps are stored: DType::f32, or DType::bf16 (see EngineOptions::dtype).
        DType dtype = DType::f32;
        /// The session takes 8-bit pixels, samples of H x W x 3, and scales them itself, as the first convolution reads
        /// them.
        std::optional<PixelScale> pixels{};
    };
    /// `sample`: the shape of one sample, H x W x C. The model is traced in inference mode and its mode restored.
    /// Throws Error when the shape does not fit the model.
    InferenceSession(Module& model, const Shape& sample, const Options& options);
    InferenceSession(Module& model, const Shape& sample) : InferenceSession(model, sample, Options{}) {}
    ~InferenceSession();
    InferenceSession(InferenceSession&&) noexcept;
    InferenceSession& operator=(InferenceSession&&) noexcept;

    /// The network's output for batch x sample values, row-major; valid until the next run. Throws Error when their
    /// count is another.
    std::span<const float> run(std::span<const float> samples);
    /// The same of a session that takes pixels. Throws Error when the session's input is of the other type.
    std::span<const float> run(std::span<const uint8_t> pixels);

    /// Shapes with the batch in front.
    const Shape& input_shape() const;
    const Shape& output_shape() const;
    PlanMemory memory() const;
    MemoryMap memory_map() const;
    /// Times every unit of the runs from now on until switched off. `profile` is over all of them, `timeline` of the
    /// last.
    void set_profiling(bool on);
    std::vector<ProfileEntry> profile() const;
    Timeline timeline() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace liven
