#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "liven/io/file.hpp"
#include "liven/io/host_tensor.hpp"

namespace liven {

/// What a safetensors file holds: tensors and a table of strings, both by name.
struct Safetensors {
    NamedTensors tensors;
    std::map<std::string, std::string> metadata;
};

/// A safetensors file open for reading: the header is read and checked at once, a tensor when it is asked for.
///
/// The header must describe the whole data part without gaps or overlaps, as the format says; names are unique. A file
/// that breaks a rule is one Error with the file, the offset or the tensor, before any memory of the claimed size is
/// asked for. F64, F16 and BF16 become f32 (an F64 beyond its range is an Error); I32, I64 and U8 stay; other types
/// are listed but not read.
class SafetensorsReader {
public:
    struct Entry {
        std::string dtype;  ///< as written in the file: "F32", "BF16", ...
        Shape shape;
        uint64_t begin = 0, end = 0;  ///< offsets in the file
    };

    explicit SafetensorsReader(const std::filesystem::path& path);

    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    const std::map<std::string, Entry>& entries() const { return entries_; }
    bool has(std::string_view name) const { return entries_.find(std::string(name)) != entries_.end(); }
    /// Throws Error, naming the nearest name, when there is none such.
    const Entry& entry(std::string_view name) const;

    HostTensor read(std::string_view name) const;
    /// Reads into memory of the caller. Throws Error when its size is not the tensor's, or the tensor is no float one.
    void read_into(std::string_view name, std::span<float> target) const;

private:
    InputFile file_;
    std::map<std::string, std::string> metadata_;
    std::map<std::string, Entry> entries_;
};

/// The whole file. Throws Error as SafetensorsReader does.
Safetensors read_safetensors(const std::filesystem::path& path);

/// Writes atomically (write_file_atomically), the same bytes for the same content: names sorted in the header, data
/// by element size, then name, so that everything is aligned. Throws Error for a name or text that is not UTF-8.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace liven
