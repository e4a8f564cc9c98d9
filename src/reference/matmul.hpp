#pragma once

#include "liven/core/window.hpp"
#include "src/reference/array.hpp"

namespace liven::reference {

/// dst = op(a) op(b), op transposing the last two axes when asked; leading axes are a batch, and b may have none.
template <class T>
void matmul(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto& matmul = *static_cast<const MatmulAttributes*>(attributes);
    const Array<T>&a = inputs[0], &b = inputs[1], &dst = outputs[0];
    const int64_t a_columns = a.shape[-1], b_columns = b.shape[-1];
    const int64_t rows = dst.shape[-2], columns = dst.shape[-1], depth = matmul.transpose_a ? a.shape[-2] : a_columns;
    const int64_t batch = rows * columns == 0 ? 0 : dst.count() / (rows * columns);
    for (int64_t n = 0; n < batch; ++n) {
        const T* left = a.real() + n * rows * depth;
        const T* right = b.real() + (b.shape.rank() == 2 ? 0 : n * depth * columns);
        for (int64_t i = 0; i < rows; ++i) {
            for (int64_t j = 0; j < columns; ++j) {
                double sum = 0;
                for (int64_t k = 0; k < depth; ++k) {
                    const T x = matmul.transpose_a ? left[k * a_columns + i] : left[i * a_columns + k];
                    const T y = matmul.transpose_b ? right[j * b_columns + k] : right[k * b_columns + j];
                    sum += static_cast<double>(x) * static_cast<double>(y);
                }
                dst.real()[(n * rows + i) * columns + j] = static_cast<T>(sum);
            }
        }
    }
}

/// dst = the sum of the squared elements of a' b, for a: k x m and b: k x n.
template <class T>
void product_norm(const void*, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const Array<T>&a = inputs[0], &b = inputs[1];
    const int64_t depth = a.shape[0], rows = a.shape[1], columns = b.shape[1];
    double norm = 0;
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) {
            double sum = 0;
            for (int64_t k = 0; k < depth; ++k)
                sum += static_cast<double>(a.real()[k * rows + i]) * static_cast<double>(b.real()[k * columns + j]);
            norm += sum * sum;
        }
    outputs[0].real()[0] = static_cast<T>(norm);
}

}  // namespace liven::reference
