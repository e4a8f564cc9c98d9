#include "liven/nn/initializer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "liven/core/philox.hpp"

namespace liven {
namespace {

struct Fans {
    double in = 1, out = 1;
};

Fans fans_of(const Shape& shape) {
    if (shape.rank() < 2) return {static_cast<double>(shape.count()), static_cast<double>(shape.count())};
    const auto receptive =
        static_cast<double>(shape.count()) / static_cast<double>(std::max<int64_t>(1, shape[-1] * shape[-2]));
    return {receptive * static_cast<double>(shape[-2]), receptive * static_cast<double>(shape[-1])};
}

void fill_uniform(std::span<float> values, double limit, Random& random) {
    const auto bound = static_cast<float>(limit);
    for (float& value : values) value = random.uniform(-bound, bound);
}

void fill_normal(std::span<float> values, double deviation, Random& random) {
    for (float& value : values) value = random.normal() * static_cast<float>(deviation);
}

void fill_truncated(std::span<float> values, double deviation, Random& random) {
    for (float& value : values) {
        float draw = random.normal();
        while (std::abs(draw) > 2.0f) draw = random.normal();
        value = draw * static_cast<float>(deviation);
    }
}

/// Modified Gram-Schmidt, twice, on the shorter side of a random matrix: in double it is orthonormal to rounding.
void fill_orthogonal(std::span<float> values, const Shape& shape, double gain, Random& random) {
    const auto columns = static_cast<size_t>(shape.rank() ? shape[-1] : 1);
    const size_t rows = columns ? values.size() / columns : 0;
    const bool tall = rows >= columns;
    const size_t vectors = tall ? columns : rows, length = tall ? rows : columns;
    std::vector<double> basis(vectors * length);
    for (double& x : basis) x = static_cast<double>(random.normal());
    for (size_t i = 0; i < vectors; ++i) {
        double* mine = &basis[i * length];
        for (int pass = 0; pass < 2; ++pass)
            for (size_t j = 0; j < i; ++j) {
                const double* other = &basis[j * length];
                double dot = 0;
                for (size_t k = 0; k < length; ++k) dot += mine[k] * other[k];
                for (size_t k = 0; k < length; ++k) mine[k] -= dot * other[k];
            }
        double norm = 0;
        for (size_t k = 0; k < length; ++k) norm += mine[k] * mine[k];
        norm = std::sqrt(norm);
        for (size_t k = 0; k < length; ++k) mine[k] /= norm;
    }
    for (size_t i = 0; i < vectors; ++i)
        for (size_t k = 0; k < length; ++k)
            values[tall ? k * columns + i : i * columns + k] = static_cast<float>(gain * basis[i * length + k]);
}

}  // namespace

void Initializer::fill(std::span<float> values, const Shape& shape, uint64_t key) const {
    Random random(key);
    const Fans fans = fans_of(shape);
    const double he_fan = fan == Fan::in ? fans.in : fans.out;
    const double he_variance = 2.0 / (1.0 + static_cast<double>(slope) * static_cast<double>(slope)) / he_fan;
    switch (kind) {
        case Kind::constant:
            std::fill(values.begin(), values.end(), value);
            return;
        case Kind::glorot_uniform:
            return fill_uniform(values, std::sqrt(6.0 / (fans.in + fans.out)), random);
        case Kind::glorot_normal:
            return fill_normal(values, std::sqrt(2.0 / (fans.in + fans.out)), random);
        case Kind::he_uniform:
            return fill_uniform(values, std::sqrt(3.0 * he_variance), random);
        case Kind::he_normal:
            return fill_normal(values, std::sqrt(he_variance), random);
        case Kind::truncated_normal:
            return fill_truncated(values, static_cast<double>(value), random);
        case Kind::orthogonal:
            return fill_orthogonal(values, shape, static_cast<double>(value), random);
    }
}

}  // namespace liven
