#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

#include "liven/graph/tensor.hpp"

namespace liven {

struct GradcheckOptions {
    int order = 1;            ///< 2 checks the gradient of the gradient, 3 that one's
    double step = 1e-5;       ///< of the central difference, times max(1, |x|)
    double tolerance = 1e-6;  ///< on |analytic - numeric|, relative to the largest gradient of the input
    int64_t elements = 64;    ///< checked of each input at most; of larger ones a random choice
    uint64_t seed = 1;        ///< of the projection of the results and of that choice
};

/// Whether gradients are right, and where analytic and numeric gradient differ most.
struct GradcheckReport {
    bool ok = true;
    double error = 0;  ///< |analytic - numeric|, relative to the largest gradient of the input
    size_t input = 0;
    int64_t element = 0;
    double analytic = 0;  ///< by the operations' gradient rules
    double numeric = 0;   ///< by a finite difference
    int64_t checked = 0;  ///< how many elements
    /// "wrong gradient: input 1 (3x5), element 7: analytic 0.25, numeric 0.5, error 0.5 (tolerance 1e-06, 15 elements)"
    std::string text;

    explicit operator bool() const { return ok; }
};

using GradcheckFunction = std::function<TensorList(const TensorList&)>;

/// Compares the gradients of f at the inputs with finite differences, both computed in double by the reference loops.
/// All results of f are weighted at random and summed: one backward sweep and two forward sweeps an element suffice.
/// Inputs that are not f32 (labels, seeds) are passed on unchanged. f may itself take gradients. Keep inputs away from
/// kinks (relu at 0) and ties (max_pool). Throws Error when no input or no result is f32.
GradcheckReport gradcheck(const GradcheckFunction& f, const TensorList& inputs, const GradcheckOptions& options = {});

/// The same for a function that returns one tensor.
template <class F>
requires std::is_same_v<std::invoke_result_t<const F&, const TensorList&>, Tensor> GradcheckReport
gradcheck(const F& f, const TensorList& inputs, const GradcheckOptions& options = {}) {
    return gradcheck(GradcheckFunction([&f](const TensorList& in) -> TensorList { return {f(in)}; }), inputs, options);
}

}  // namespace liven
