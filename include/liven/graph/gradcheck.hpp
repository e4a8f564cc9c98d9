#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>

#include "liven/graph/tensor.hpp"

namespace liven {

struct GradcheckOptions {
    double step = 1e-5;       ///< of the central differences, times max(1, |x|)
    double tolerance = 1e-6;  ///< on |analytic - numeric| / max(1, |analytic|, |numeric|)
    int64_t elements = 64;    ///< at most so many of each input are checked, spread at random
    uint64_t seed = 0;        ///< of the projection of the outputs and of the choice of elements
};

/// Where analytic and numeric gradient differ most.
struct GradcheckReport {
    bool passed = false;
    double error = 0;  ///< |analytic - numeric| / max(1, |analytic|, |numeric|)
    size_t input = 0;
    int64_t element = 0;
    double analytic = 0, numeric = 0;
    int64_t checked = 0;  ///< how many elements

    explicit operator bool() const { return passed; }
    /// "gradient wrong: input 1 element 17: analytic 0.25, numeric 0.5 (error 0.25, 96 elements checked)".
    std::string str() const;
};

namespace detail {
/// Fresh leaves with the inputs' values.
TensorList gradcheck_leaves(std::span<const Tensor> inputs);
GradcheckReport gradcheck(std::span<const Tensor> leaves, std::span<const Tensor> outputs,
                          const GradcheckOptions& options);
}  // namespace detail

/// Compares the gradients of f with finite differences. f takes the inputs as a TensorList and returns a Tensor or a
/// TensorList; a random projection of its outputs is differentiated for every f32 input. Everything runs in double
/// through the reference executor. Keep inputs away from kinks (relu at 0) and ties (max_pool). f may itself contain
/// gradients(): that checks gradients of gradients.
template <class F>
GradcheckReport gradcheck(F&& f, std::span<const Tensor> inputs, const GradcheckOptions& options = {}) {
    const TensorList leaves = detail::gradcheck_leaves(inputs);
    const std::span<const Tensor> operands{leaves.data(), leaves.size()};
    if constexpr (std::is_convertible_v<decltype(f(leaves)), Tensor>) {
        const Tensor output = f(leaves);
        return detail::gradcheck(operands, {&output, 1}, options);
    } else {
        const TensorList outputs = f(leaves);
        return detail::gradcheck(operands, {outputs.data(), outputs.size()}, options);
    }
}
template <class F>
GradcheckReport gradcheck(F&& f, std::initializer_list<Tensor> inputs, const GradcheckOptions& options = {}) {
    return gradcheck(std::forward<F>(f), std::span<const Tensor>(inputs.begin(), inputs.size()), options);
}

}  // namespace liven
