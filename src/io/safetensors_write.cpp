#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/io/safetensors.hpp"

namespace liven {
namespace {

using Named = const NamedTensors::value_type*;

std::string json_text(const std::string& text, const std::filesystem::path& path) {
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
        throw Error(path.string(), "cannot write a name or text that is not UTF-8");
    }
}

std::string format_name(DType type) {
    switch (type) {
        case DType::f32:
            return "F32";
        case DType::bf16:
            return "BF16";
        case DType::i32:
            return "I32";
        case DType::i64:
            return "I64";
        case DType::u8:
            return "U8";
    }
    return "?";
}

/// Data order: large elements first, so that each tensor is aligned to its element.
std::vector<Named> data_order(const NamedTensors& tensors) {
    std::vector<Named> order;
    for (const auto& tensor : tensors) order.push_back(&tensor);
    std::stable_sort(order.begin(), order.end(),
                     [](Named a, Named b) { return size_of(a->second.dtype) > size_of(b->second.dtype); });
    return order;
}

std::string entry_text(const HostTensor& tensor, uint64_t begin) {
    std::string shape;
    for (int64_t extent : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    return R"({"dtype":")" + format_name(tensor.dtype) + R"(","shape":[)" + shape + R"(],"data_offsets":[)" +
           std::to_string(begin) + "," + std::to_string(begin + tensor.bytes()) + "]}";
}

std::string header_text(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata,
                        const std::filesystem::path& path) {
    std::map<std::string, uint64_t> begins;
    uint64_t next = 0;
    for (Named tensor : data_order(tensors)) {
        begins[tensor->first] = next;
        next += tensor->second.bytes();
    }
    std::string text = "{";
    if (!metadata.empty()) {
        text += "\"__metadata__\":{";
        for (const auto& [key, value] : metadata) {
            if (text.back() != '{') text += ',';
            text += json_text(key, path) + ":" + json_text(value, path);
        }
        text += '}';
    }
    for (const auto& [name, tensor] : tensors) {
        if (name == "__metadata__") throw Error(path.string(), "a tensor cannot be named '__metadata__'");
        if (text.back() != '{') text += ',';
        text += json_text(name, path) + ":" + entry_text(tensor, begins[name]);
    }
    text += '}';
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
    const std::string header = header_text(tensors, metadata, path);
    write_file_atomically(path, [&](OutputFile& file) {
        const uint64_t length = header.size();
        file.write(&length, sizeof length);
        file.write(header);
        for (Named tensor : data_order(tensors)) file.write(tensor->second.data.data(), tensor->second.bytes());
    });
}

}  // namespace liven
