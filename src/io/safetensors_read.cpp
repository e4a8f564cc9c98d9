#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/io/safetensors.hpp"
#include "liven/io/suggest.hpp"
#include "src/io/elements.hpp"
#include "src/io/names.hpp"
#include "src/io/safetensors_header.hpp"

namespace liven {
namespace {

// The format allows 100 MB; a header that long describes hundreds of thousands of tensors, which no model of ours has.
constexpr uint64_t kMaxHeader = uint64_t{16} << 20;

static_assert(std::endian::native == std::endian::little, "files and memory share their byte order");

std::string read_header(const InputFile& file) {
    const std::string name = file.path().string();
    if (file.size() < 8)
        throw Error(name, "has " + std::to_string(file.size()) + " bytes, too few for a safetensors file");
    uint64_t length = 0;
    file.read(0, &length, sizeof length);
    if (length > file.size() - 8)
        throw Error(name,
                    "claims a header of " + std::to_string(length) + " bytes at offset 8, but the file has " +
                        std::to_string(file.size()),
                    "the file is truncated or no safetensors file");
    if (length > kMaxHeader)
        throw Error(name, "has a header of " + std::to_string(length) + " bytes, more than 16 MiB");
    std::string json(length, '\0');
    file.read(8, json.data(), length);
    if (json.empty() || json.front() != '{')
        throw Error(name, "has no header at offset 8: expected '{'", "is it a safetensors file?");
    return json;
}

/// The tensors must cover the data part, one after another.
void check_layout(const std::map<std::string, SafetensorsReader::Entry>& entries, uint64_t data_bytes,
                  const std::string& file) {
    std::vector<std::pair<const std::string*, const SafetensorsReader::Entry*>> order;
    for (const auto& [name, entry] : entries) order.emplace_back(&name, &entry);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end);
    });
    uint64_t next = 0;
    for (const auto& [name, entry] : order) {
        if (entry->end > data_bytes)
            throw Error(file,
                        "tensor '" + *name + "' ends at offset " + std::to_string(entry->end) + " of " +
                            std::to_string(data_bytes) + " data bytes",
                        "the file is truncated");
        if (entry->begin != next)
            throw Error(file, "tensor '" + *name + "' begins at data offset " + std::to_string(entry->begin) + ", " +
                                  (entry->begin < next ? "inside another tensor" : "after a gap") + "; expected " +
                                  std::to_string(next));
        next = entry->end;
    }
    if (next != data_bytes)
        throw Error(file, std::to_string(data_bytes - next) + " bytes follow the last tensor, at data offset " +
                              std::to_string(next));
}

}  // namespace

SafetensorsReader::SafetensorsReader(const std::filesystem::path& path) : file_(path) {
    const std::string json = read_header(file_);
    io::SafetensorsHeader header = io::parse_safetensors_header(json, path.string());
    const uint64_t start = 8 + json.size();
    check_layout(header.entries, file_.size() - start, path.string());
    metadata_ = std::move(header.metadata);
    for (auto& [name, entry] : header.entries) {
        entry.begin += start;
        entry.end += start;
    }
    entries_ = std::move(header.entries);
}

const SafetensorsReader::Entry& SafetensorsReader::entry(std::string_view name) const {
    const auto found = entries_.find(std::string(name));
    if (found == entries_.end())
        throw Error(file_.path().string(), "has no tensor '" + std::string(name) + "'",
                    did_you_mean(name, io::names_of(entries_)));
    return found->second;
}

HostTensor SafetensorsReader::read(std::string_view name) const {
    const Entry& found = entry(name);
    const auto element = io::safetensors_element(found.dtype);
    if (!element)
        throw Error(file_.path().string(), "tensor '" + std::string(name) + "' has dtype " + found.dtype +
                                               ", expected F32, F64, F16, BF16, I32, I64, U8 or BOOL");
    HostTensor tensor(found.shape, io::dtype_of(*element));
    io::FileSource source(file_, found.begin);
    io::read_elements(source, *element, tensor.data.data(), static_cast<size_t>(tensor.count()), file_.path().string());
    return tensor;
}

void SafetensorsReader::read_into(std::string_view name, std::span<float> target) const {
    const Entry& found = entry(name);
    const auto element = io::safetensors_element(found.dtype);
    if (!element || io::dtype_of(*element) != DType::f32 || found.shape.count() != static_cast<int64_t>(target.size()))
        throw Error(file_.path().string(), "tensor '" + std::string(name) + "' is " + found.dtype + " " +
                                               found.shape.str() + ", expected " + std::to_string(target.size()) +
                                               " floats");
    io::FileSource source(file_, found.begin);
    io::read_elements(source, *element, target.data(), target.size(), file_.path().string());
}

Safetensors read_safetensors(const std::filesystem::path& path) {
    const SafetensorsReader reader(path);
    Safetensors out{.tensors = {}, .metadata = reader.metadata()};
    for (const auto& [name, entry] : reader.entries()) out.tensors.emplace(name, reader.read(name));
    return out;
}

}  // namespace liven
