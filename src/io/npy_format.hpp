#pragma once

#include <cstdint>
#include <string>

#include "liven/io/host_tensor.hpp"
#include "liven/io/npy.hpp"
#include "src/io/elements.hpp"

namespace liven::io {

struct NpyHeader {
    Element element = Element::f32;
    bool fortran_order = false;
    Shape shape;
};

/// Reads magic, version and description. `bytes` is what the whole array, header included, occupies; the values must
/// fill the rest exactly. Throws Error with `where`.
NpyHeader read_npy_header(ByteSource& source, uint64_t bytes, const NpyLimits& limits, const std::string& where);
/// Header and values.
HostTensor read_npy_array(ByteSource& source, uint64_t bytes, const NpyLimits& limits, const std::string& where);

/// The header that goes before the values of `tensor` (version 1.0, values aligned to 64 bytes). bf16 becomes f4.
std::string npy_header(const HostTensor& tensor);
/// `tensor`, or its f32 copy when NumPy has no such type.
HostTensor as_numpy_has_it(const HostTensor& tensor);

}  // namespace liven::io
