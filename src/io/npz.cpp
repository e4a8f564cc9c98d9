#include <string>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/io/npy.hpp"
#include "liven/io/suggest.hpp"
#include "src/io/names.hpp"
#include "src/io/npy_format.hpp"
#include "src/io/zip.hpp"

namespace liven {
namespace {

constexpr std::string_view kSuffix = ".npy";

/// "conv1/kernel.npy" -> "conv1/kernel".
std::string array_name(const std::string& entry, const std::string& file) {
    if (entry.size() <= kSuffix.size() || entry.substr(entry.size() - kSuffix.size()) != kSuffix)
        throw Error(file, "entry '" + entry + "' is no .npy array");
    return entry.substr(0, entry.size() - kSuffix.size());
}

}  // namespace

NpzReader::NpzReader(const std::filesystem::path& path, const NpyLimits& limits) : file_(path), limits_(limits) {
    for (io::ZipEntry& entry : io::read_zip_directory(file_)) {
        const std::string name = array_name(entry.name, path.string());
        const bool added = entries_
                               .emplace(name, Entry{.offset = entry.header,
                                                    .data = entry.data,
                                                    .compressed = entry.compressed,
                                                    .bytes = entry.bytes,
                                                    .crc = entry.crc,
                                                    .deflated = entry.deflated})
                               .second;
        if (!added) throw Error(path.string(), "holds two arrays named '" + name + "'");
    }
}

HostTensor NpzReader::read(std::string_view name) const {
    const auto found = entries_.find(std::string(name));
    if (found == entries_.end())
        throw Error(file_.path().string(), "has no array '" + std::string(name) + "'",
                    did_you_mean(name, io::names_of(entries_)));
    const Entry& entry = found->second;
    const io::ZipEntry place{.name = found->first,
                             .header = entry.offset,
                             .data = entry.data,
                             .compressed = entry.compressed,
                             .bytes = entry.bytes,
                             .crc = entry.crc,
                             .deflated = entry.deflated};
    io::ZipSource source(file_, place);
    HostTensor tensor = io::read_npy_array(source, entry.bytes, limits_, file_.path().string() + ": " + found->first);
    source.finish();
    return tensor;
}

NamedTensors read_npz(const std::filesystem::path& path, const NpyLimits& limits) {
    const NpzReader reader(path, limits);
    uint64_t total = 0;
    for (const auto& [name, entry] : reader.entries())
        if (__builtin_add_overflow(total, entry.bytes, &total) || total > limits.max_array_bytes)
            throw Error(path.string(),
                        "the arrays need more than " + std::to_string(limits.max_array_bytes) + " bytes");
    NamedTensors arrays;
    for (const auto& [name, entry] : reader.entries()) arrays.emplace(name, reader.read(name));
    return arrays;
}

void write_npz(const std::filesystem::path& path, const NamedTensors& arrays, const NpzOptions& options) {
    write_file_atomically(path, [&](OutputFile& file) {
        io::ZipWriter zip(file);
        for (const auto& [name, tensor] : arrays) {
            if (name.empty()) throw Error(path.string(), "an array has no name");
            const HostTensor values = io::as_numpy_has_it(tensor);
            zip.add(name + std::string(kSuffix), io::npy_header(values), {values.data.as<const char>(), values.bytes()},
                    options.compress);
        }
        zip.finish();
    });
}

}  // namespace liven
