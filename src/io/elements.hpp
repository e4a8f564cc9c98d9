#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "liven/io/file.hpp"
#include "liven/io/host_tensor.hpp"

/// Elements as files store them, little-endian, and their way into tensors.
namespace liven::io {

enum class Element : uint8_t { f16, bf16, f32, f64, i32, i64, u8, boolean };

size_t size_of(Element element);
/// What an element becomes in memory: all floats f32, booleans u8.
DType dtype_of(Element element);

/// Bytes in order, from a file or a decompressor.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    /// Exactly `bytes`, or an Error.
    virtual void read(void* target, size_t bytes) = 0;
};

/// Part of a file.
class FileSource final : public ByteSource {
public:
    FileSource(const InputFile& file, uint64_t offset) : file_(file), offset_(offset) {}
    void read(void* target, size_t bytes) override {
        file_.read(offset_, target, bytes);
        offset_ += bytes;
    }

private:
    const InputFile& file_;
    uint64_t offset_;
};

/// Fills `count` values of type dtype_of(element). Throws Error, with `where`, for an f64 that no float can hold.
void read_elements(ByteSource& source, Element element, void* target, size_t count, std::string_view where);

float half_to_float(uint16_t bits);
inline float bfloat_to_float(uint16_t bits) { return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16); }

}  // namespace liven::io
