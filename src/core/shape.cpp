#include "liven/core/shape.hpp"

#include <algorithm>
#include <ostream>

#include "liven/core/error.hpp"

namespace liven {

Shape::Shape(std::initializer_list<int64_t> extents)
    : Shape(std::span<const int64_t>(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const int64_t> extents) {
    for (int64_t extent : extents) append(extent);
}

void Shape::append(int64_t extent) {
    if (rank_ == max_rank) throw Error("shape", "a tensor has at most 6 axes, but more were given");
    if (extent < 0) throw Error("shape", "an extent is " + std::to_string(extent) + ", expected 0 or more");
    int64_t total = 0;
    if (__builtin_mul_overflow(count(), std::max<int64_t>(extent, 1), &total))
        throw Error("shape", str() + "x" + std::to_string(extent) + " has more elements than 64 bits can count");
    extents_[static_cast<size_t>(rank_++)] = extent;
}

int Shape::normalize(int axis) const {
    const int positive = axis < 0 ? axis + rank_ : axis;
    if (positive < 0 || positive >= rank_)
        throw Error("shape", "axis " + std::to_string(axis) + " does not exist in " + str());
    return positive;
}

int64_t Shape::count() const {
    int64_t total = 1;
    for (int64_t extent : *this) total *= extent;
    return total;
}

bool Shape::operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

std::string Shape::str() const {
    if (rank_ == 0) return "scalar";
    std::string out;
    for (int64_t extent : *this) out += (out.empty() ? "" : "x") + std::to_string(extent);
    return out;
}

Shape batched(int64_t count, const Shape& sample) {
    Shape shape{count};
    for (int64_t extent : sample) shape.append(extent);
    return shape;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

Shape broadcast(const char* where, const Shape& a, const Shape& b) {
    const Shape& longer = a.rank() >= b.rank() ? a : b;
    const Shape& shorter = a.rank() >= b.rank() ? b : a;
    Shape out = longer;
    for (int i = 1; i <= shorter.rank(); ++i) {
        const int64_t x = longer[-i], y = shorter[-i];
        if (x != y && x != 1 && y != 1)
            throw Error(where, "shapes " + a.str() + " and " + b.str() + " do not broadcast",
                        "extents, aligned at the last axis, must be equal or 1");
        out.set(-i, x == 1 ? y : x);
    }
    return out;
}

}  // namespace liven
