#include "normalised.hpp"

#include <string>

#include "liven/core/error.hpp"

namespace liven::detail {

void infer_normalised(const char* where, InputTypes in, int least_rank, float epsilon) {
    const Shape& x = in[0]->shape;
    if (x.rank() < least_rank || in[0]->dtype != DType::f32)
        throw Error(where, "expected an f32 input of rank " + std::to_string(least_rank) + " or more, got " + x.str() +
                               " " + std::string(name_of(in[0]->dtype)));
    for (size_t i = 1; i < in.size(); ++i)
        if (!(in[i]->shape == Shape{x[-1]}))
            throw Error(where, "expected gamma and beta of shape " + std::to_string(x[-1]) + " for the input " +
                                   x.str() + ", got " + in[i]->shape.str());
    if (!(epsilon > 0.0f)) throw Error(where, "epsilon must be positive, got " + std::to_string(epsilon));
}

}  // namespace liven::detail
