#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

namespace liven {

/// The extents of a tensor, rank 0 (a scalar) to 6, stored inline: making and copying one allocates nothing.
/// Activations are N x H x W x C, convolution weights H x W x I x O.
class Shape {
public:
    static constexpr int max_rank = 6;

    Shape() = default;
    /// Throws Error when there are more than six extents or one is negative.
    Shape(std::initializer_list<int64_t> extents);
    explicit Shape(std::span<const int64_t> extents);

    int rank() const { return rank_; }
    /// Extent of an axis; negative axes count from the end (-1 is the last). Throws Error when out of range.
    int64_t operator[](int axis) const { return extents_[static_cast<size_t>(normalize(axis))]; }
    void set(int axis, int64_t extent) { extents_[static_cast<size_t>(normalize(axis))] = extent; }
    /// Number of elements; 1 for a scalar.
    int64_t count() const;
    /// The axis as a number in [0, rank). Throws Error when out of range.
    int normalize(int axis) const;

    std::span<const int64_t> extents() const { return {extents_.data(), static_cast<size_t>(rank_)}; }
    const int64_t* begin() const { return extents_.data(); }
    const int64_t* end() const { return extents_.data() + rank_; }

    void append(int64_t extent);
    bool operator==(const Shape& other) const;

    /// "8x256x256x3"; "scalar" for rank 0.
    std::string str() const;

private:
    std::array<int64_t, max_rank> extents_{};
    int rank_ = 0;
};

/// `count` samples of this shape: batched(16, {256, 256, 3}) is 16x256x256x3. Throws Error when that exceeds six
/// extents.
Shape batched(int64_t count, const Shape& sample);

std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The shape both operands stretch to under NumPy's broadcasting. Throws Error naming `where` and both shapes.
Shape broadcast(const char* where, const Shape& a, const Shape& b);

}  // namespace liven
