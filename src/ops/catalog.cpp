#include "liven/graph/constant.hpp"
#include "liven/graph/operation.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/dropout.hpp"
#include "liven/ops/gru.hpp"
#include "liven/ops/instance_norm.hpp"
#include "liven/ops/layer_norm.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/pixels.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/regression_loss.hpp"
#include "liven/ops/resize.hpp"
#include "liven/ops/shape.hpp"
#include "liven/ops/softmax.hpp"
#include "liven/ops/update.hpp"

namespace liven {

namespace detail {
const Operation& gradient_request();
}

namespace {

template <class... Op>
void append(std::vector<const Operation*>& list) {
    (list.push_back(&operation<Op>()), ...);
}

std::vector<const Operation*> catalog() {
    using namespace ops;
    std::vector<const Operation*> list;
    append<Conv2d, Conv2dInputGrad, Conv2dWeightGrad>(list);
    append<Matmul, ProductNorm, Gru>(list);
    append<MaxPool, MaxPoolGrad, MaxPoolPick, AvgPool, AvgPoolGrad>(list);
    append<Resize, ResizeGrad>(list);
    append<BatchNorm, BatchNormInference, InstanceNorm, LayerNorm>(list);
    append<Relu, LeakyRelu, LeakyStep, Prelu, Tanh, Sigmoid, Softplus, Gelu, GeluGrad, Softmax, LogSoftmax>(list);
    append<Add, Sub, Mul, Div, Neg, Mad, ScaleConst, AddConst, Exp, Log, Sqrt, Rsqrt, Reciprocal, Square, Power>(list);
    append<PowConst, Abs, Sign, Erf, Maximum, Minimum, Clamp, Widen>(list);
    append<Greater, Equal, Positive, IsFinite, Select>(list);
    append<ReduceSum, ReduceMax, MomentsOp>(list);
    append<Reshape, Permute, Slice, Pad, Concat, Broadcast>(list);
    append<Dropout, BinaryCrossEntropy>(list);
    append<SgdUpdate, AdamUpdate, GradientGuard, ExponentialAverage>(list);
    append<Constant, OneHot, Detach>(list);
    list.push_back(&detail::gradient_request());
    return list;
}

}  // namespace

const std::vector<const Operation*>& all_operations() {
    static const std::vector<const Operation*> list = catalog();
    return list;
}

}  // namespace liven
