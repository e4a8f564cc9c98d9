#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "liven/io/file.hpp"
#include "liven/io/host_tensor.hpp"

/// NumPy's files: one array (.npy, format versions 1 to 3) and a zip archive of arrays (.npz).
///
/// Read are little-endian f2, f4, f8, i4, i8, u1 and b1, in C or Fortran order; the result is row-major, floats become
/// f32 (an f8 beyond its range is an Error), booleans u8. Written are f4, i4, i8 and u1; bf16 is written as f4.
namespace liven {

struct NpyLimits {
    /// An array that claims more bytes in memory is refused before anything is allocated.
    uint64_t max_array_bytes = uint64_t{4} << 30;
};

/// Throws Error with the file and what is wrong.
HostTensor read_npy(const std::filesystem::path& path, const NpyLimits& limits = {});
/// Writes atomically.
void write_npy(const std::filesystem::path& path, const HostTensor& tensor);

/// An archive open for reading: its table is read and checked at once, an array when it is asked for. Stored and
/// deflated entries, zip64 included; checksums are verified. Refused are encrypted or overlapping entries and sizes
/// that deflate cannot reach (it never shrinks data more than 1,032 times).
class NpzReader {
public:
    /// Where an entry lies; the arrays' names are without ".npy".
    struct Entry {
        uint64_t offset = 0;      ///< of its local header
        uint64_t data = 0;        ///< of its bytes
        uint64_t compressed = 0;  ///< bytes in the file
        uint64_t bytes = 0;       ///< bytes after inflating
        uint32_t crc = 0;
        bool deflated = false;
    };

    explicit NpzReader(const std::filesystem::path& path, const NpyLimits& limits = {});

    const std::map<std::string, Entry>& entries() const { return entries_; }
    bool has(std::string_view name) const { return entries_.find(std::string(name)) != entries_.end(); }
    /// Throws Error, naming the nearest name, when there is none such.
    HostTensor read(std::string_view name) const;

private:
    InputFile file_;
    NpyLimits limits_;
    std::map<std::string, Entry> entries_;
};

/// All arrays; the limit holds for their sum.
NamedTensors read_npz(const std::filesystem::path& path, const NpyLimits& limits = {});

struct NpzOptions {
    bool compress = false;  ///< deflate, as numpy.savez_compressed does
};
/// Writes atomically, the same bytes for the same content (no time stamps). Throws Error for an empty name.
void write_npz(const std::filesystem::path& path, const NamedTensors& arrays, const NpzOptions& options = {});

}  // namespace liven
