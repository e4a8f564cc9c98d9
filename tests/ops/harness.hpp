#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "liven/core/philox.hpp"
#include "liven/graph/tensor.hpp"

/// Every operation is tested the same way: a list of cases, each a function over tensors and its operands.
namespace liven::testing {

/// Operands of a case, made anew for each run so that no run reads the results of another.
using Operands = std::function<TensorList()>;

struct OperationCase {
    std::string name;
    Operands operands;
    std::function<TensorList(const TensorList&)> function;
    int gradient_orders = 2;  ///< how many derivatives the gradient check takes; 0: the operation has none
    int64_t elements = 24;    ///< of each operand whose first derivative is checked; a quarter of them of the second
};

/// Uniform numbers, a different set for each `seed`.
Tensor uniform(const Shape& shape, uint64_t seed, float low = -1.0f, float high = 1.0f);
/// Numbers with |x| in [low, high): away from a kink at 0.
Tensor away_from_zero(const Shape& shape, uint64_t seed, float low = 0.2f, float high = 1.5f);
/// A shuffled grid of distinct numbers around 0, no two nearer than `spacing`: no ties, no neighbours that a finite
/// difference could swap. None is nearer to 0 than half the spacing.
Tensor distinct(const Shape& shape, uint64_t seed, float spacing = 0.01f);
/// Class indices.
Tensor labels(std::initializer_list<int32_t> values);

/// The sum of all results, each element with its own fixed weight: a loss whose gradient sees every element.
Tensor projection(const TensorList& results);

/// Runs everything a case is tested for:
/// 1. gradients against finite differences in double, and those of the gradients;
/// 2. results and gradients of the planned executor, for every ISA of this machine and with 1 and 2 threads, against
///    the same in double: ||a - exact|| / ||exact|| is at most 1e-4 and at most ten times the error of the reference
///    executor in float (convolutions: under strict math); bit-equal between thread counts.
void check(const OperationCase& test);
void check_executors(const OperationCase& test);
void check_gradients(const OperationCase& test);
inline void check(std::initializer_list<OperationCase> tests) {
    for (const OperationCase& test : tests) check(test);
}

/// The numbers of some values, all computed by one plan.
std::vector<std::vector<float>> computed(const std::vector<Value>& values);

/// Euclidean norm of a - b over that of b; the norm of a where b is all zeros.
double relative_error(const std::vector<float>& a, const std::vector<double>& b);

/// The message of the Error that `f` throws; empty when it throws none.
std::string message_of(const std::function<void()>& f);

}  // namespace liven::testing
