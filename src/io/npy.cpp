#include "liven/io/npy.hpp"

#include <array>
#include <cstring>

#include "liven/core/error.hpp"
#include "src/io/npy_format.hpp"

namespace liven {
namespace io {
namespace {

/// Values whose first axis runs fastest, rearranged so that the last does.
HostTensor to_row_major(const HostTensor& fortran) {
    HostTensor out(fortran.shape, fortran.dtype);
    const int rank = fortran.shape.rank();
    const size_t size = liven::size_of(fortran.dtype);
    std::array<int64_t, Shape::max_rank> stride{}, index{};
    int64_t step = 1;
    for (int axis = 0; axis < rank; ++axis) {
        stride[static_cast<size_t>(axis)] = step;
        step *= fortran.shape[axis];
    }
    const char* from = fortran.data.as<char>();
    char* to = out.data.as<char>();
    int64_t source = 0;
    for (int64_t i = 0; i < out.count(); ++i, to += size) {
        std::memcpy(to, from + static_cast<size_t>(source) * size, size);
        for (int axis = rank - 1; axis >= 0; --axis) {  // count up, the last axis first
            const size_t a = static_cast<size_t>(axis);
            source += stride[a];
            if (++index[a] < fortran.shape[axis]) break;
            source -= stride[a] * fortran.shape[axis];
            index[a] = 0;
        }
    }
    return out;
}

}  // namespace

HostTensor read_npy_array(ByteSource& source, uint64_t bytes, const NpyLimits& limits, const std::string& where) {
    const NpyHeader header = read_npy_header(source, bytes, limits, where);
    HostTensor tensor(header.shape, dtype_of(header.element));
    read_elements(source, header.element, tensor.data.data(), static_cast<size_t>(tensor.count()), where);
    return header.fortran_order && header.shape.rank() > 1 ? to_row_major(tensor) : tensor;
}

HostTensor as_numpy_has_it(const HostTensor& tensor) {
    if (tensor.dtype != DType::bf16) return tensor;
    HostTensor out(tensor.shape, DType::f32);
    const uint16_t* from = tensor.data.as<const uint16_t>();
    for (float& value : out.values<float>()) value = bfloat_to_float(*from++);
    return out;
}

}  // namespace io

HostTensor read_npy(const std::filesystem::path& path, const NpyLimits& limits) {
    const InputFile file(path);
    io::FileSource source(file, 0);
    return io::read_npy_array(source, file.size(), limits, path.string());
}

void write_npy(const std::filesystem::path& path, const HostTensor& tensor) {
    const HostTensor values = io::as_numpy_has_it(tensor);
    write_file_atomically(path, [&values](OutputFile& file) {
        file.write(io::npy_header(values));
        file.write(values.data.data(), values.bytes());
    });
}

}  // namespace liven
