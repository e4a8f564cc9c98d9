#include "liven/io/host_tensor.hpp"

#include <cstring>
#include <string>

#include "liven/core/error.hpp"

namespace liven {
namespace {

size_t checked_bytes(const Shape& shape, DType type) {
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(shape.count()), uint64_t{size_of(type)}, &bytes))
        throw Error("tensor", shape.str() + " of " + std::string(name_of(type)) + " has more bytes than 64 bits count");
    return bytes;
}

template <class T>
void copy(HostTensor& to, std::span<const T> values) {
    if (static_cast<int64_t>(values.size()) != to.count())
        throw Error("tensor", to.shape.str() + " needs " + std::to_string(to.count()) + " values, got " +
                                  std::to_string(values.size()));
    if (!values.empty()) std::memcpy(to.data.data(), values.data(), values.size_bytes());
}

}  // namespace

HostTensor::HostTensor(Shape extents, DType type) : shape(extents), dtype(type), data(checked_bytes(extents, type)) {}
HostTensor::HostTensor(Shape extents, std::span<const float> values) : HostTensor(extents, DType::f32) {
    copy(*this, values);
}
HostTensor::HostTensor(Shape extents, std::span<const int32_t> values) : HostTensor(extents, DType::i32) {
    copy(*this, values);
}
HostTensor::HostTensor(Shape extents, std::span<const int64_t> values) : HostTensor(extents, DType::i64) {
    copy(*this, values);
}
HostTensor::HostTensor(Shape extents, std::span<const uint8_t> values) : HostTensor(extents, DType::u8) {
    copy(*this, values);
}

void HostTensor::expect(DType type) const {
    if (dtype != type)
        throw Error("tensor", "expected values of type " + std::string(name_of(type)) + ", but " + shape.str() +
                                  " holds " + std::string(name_of(dtype)));
    if (!data && count() != 0) throw Error("tensor", shape.str() + " has no memory yet");
}

}  // namespace liven
