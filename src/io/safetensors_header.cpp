#include "src/io/safetensors_header.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"

namespace liven::io {
namespace {

struct KnownType {
    std::string_view name;
    size_t bytes;
};
constexpr std::array<KnownType, 16> kTypes{{{"BOOL", 1},
                                            {"U8", 1},
                                            {"I8", 1},
                                            {"F8_E5M2", 1},
                                            {"F8_E4M3", 1},
                                            {"F8_E8M0", 1},
                                            {"I16", 2},
                                            {"U16", 2},
                                            {"F16", 2},
                                            {"BF16", 2},
                                            {"I32", 4},
                                            {"U32", 4},
                                            {"F32", 4},
                                            {"I64", 8},
                                            {"U64", 8},
                                            {"F64", 8}}};

/// Receives the events of the JSON parser. A header is an object of objects: {"__metadata__": {text: text}, tensor:
/// {"dtype": text, "shape": [numbers], "data_offsets": [begin, end]}}.
class Handler {
public:
    Handler(SafetensorsHeader& out, const std::string& file) : out_(out), file_(file) {}

    bool start_object(size_t) {
        switch (place_) {
            case Place::before:
                place_ = Place::top;
                return true;
            case Place::top:
                place_ = name_ == "__metadata__" ? Place::metadata : Place::tensor;
                seen_ = 0;
                return true;
            default:
                fail("an object where none belongs");
        }
    }
    bool end_object() {
        if (place_ == Place::top) {
            place_ = Place::after;
        } else {
            if (place_ == Place::tensor) finish_tensor();
            place_ = Place::top;
        }
        return true;
    }
    bool key(std::string& text) {
        if (place_ == Place::top) {
            name_ = std::move(text);
            const bool twice = name_ == "__metadata__" ? std::exchange(has_metadata_, true) : out_.entries.count(name_);
            if (twice) throw Error(file_, "the header names '" + name_ + "' twice");
        } else {
            field_ = std::move(text);
            if (place_ == Place::tensor) begin_field();
        }
        return true;
    }
    bool string(std::string& text) {
        if (place_ == Place::metadata) {
            if (!out_.metadata.emplace(field_, std::move(text)).second)
                throw Error(file_, "the metadata names '" + field_ + "' twice");
            return true;
        }
        if (place_ != Place::tensor || field_ != "dtype") fail("a text where none belongs");
        entry_.dtype = std::move(text);
        return true;
    }
    bool start_array(size_t) {
        if (place_ != Place::tensor || field_ == "dtype") fail("an array where none belongs");
        place_ = Place::numbers;
        numbers_.clear();
        return true;
    }
    bool end_array() {
        place_ = Place::tensor;
        if (field_ == "shape") {
            set_shape();
        } else {
            if (numbers_.size() != 2) fail("data_offsets needs two numbers");
            entry_.begin = numbers_[0];
            entry_.end = numbers_[1];
        }
        return true;
    }
    bool number_unsigned(uint64_t value) {
        if (place_ != Place::numbers) fail("a number where none belongs");
        if (numbers_.size() == Shape::max_rank) fail("more than 6 axes");
        numbers_.push_back(value);
        return true;
    }
    bool number_integer(int64_t value) { fail("the negative number " + std::to_string(value)); }
    bool number_float(double, const std::string& text) { fail("the number " + text + ", expected a whole one"); }
    bool null() { fail("a null"); }
    bool boolean(bool) { fail("a truth value"); }
    template <class Binary>
    bool binary(Binary&) {
        fail("binary data");
    }
    bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
        throw Error(file_, "the header is not valid JSON at offset " + std::to_string(7 + position),
                    "the file is damaged or no safetensors file");
    }

private:
    enum class Place { before, top, metadata, tensor, numbers, after };

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(file_, "the header has " + what + (name_.empty() ? "" : ", at '" + name_ + "'"));
    }
    void begin_field() {
        const unsigned bit = field_ == "dtype" ? 1u : field_ == "shape" ? 2u : field_ == "data_offsets" ? 4u : 0u;
        if (bit == 0) fail("the unknown field '" + field_ + "'");
        if (seen_ & bit) fail("'" + field_ + "' twice");
        seen_ |= bit;
    }
    void set_shape() {
        entry_.shape = Shape();
        try {
            for (uint64_t extent : numbers_)
                entry_.shape.append(extent > INT64_MAX ? -1 : static_cast<int64_t>(extent));
        } catch (const Error&) {
            fail("a shape with more elements than 64 bits count");
        }
    }
    void finish_tensor() {
        if (seen_ != 7u) fail("a tensor without dtype, shape or data_offsets");
        const uint64_t size = safetensors_element_size(entry_.dtype);
        if (size == 0) fail("the unknown dtype '" + entry_.dtype + "'");
        uint64_t bytes = 0;
        const bool overflow = __builtin_mul_overflow(static_cast<uint64_t>(entry_.shape.count()), size, &bytes);
        if (overflow || entry_.end < entry_.begin || entry_.end - entry_.begin != bytes)
            throw Error(file_, "tensor '" + name_ + "' is " + entry_.dtype + " " + entry_.shape.str() +
                                   ", but its data_offsets are [" + std::to_string(entry_.begin) + ", " +
                                   std::to_string(entry_.end) + "]");
        out_.entries.emplace(name_, std::move(entry_));
        entry_ = {};
    }

    SafetensorsHeader& out_;
    const std::string& file_;
    Place place_ = Place::before;
    std::string name_, field_;
    SafetensorsReader::Entry entry_;
    std::vector<uint64_t> numbers_;
    unsigned seen_ = 0;
    bool has_metadata_ = false;
};

}  // namespace

size_t safetensors_element_size(std::string_view dtype) {
    for (const KnownType& type : kTypes)
        if (type.name == dtype) return type.bytes;
    return 0;
}

std::optional<Element> safetensors_element(std::string_view dtype) {
    if (dtype == "F32") return Element::f32;
    if (dtype == "F64") return Element::f64;
    if (dtype == "F16") return Element::f16;
    if (dtype == "BF16") return Element::bf16;
    if (dtype == "I32") return Element::i32;
    if (dtype == "I64") return Element::i64;
    if (dtype == "U8") return Element::u8;
    if (dtype == "BOOL") return Element::boolean;
    return std::nullopt;
}

SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& file) {
    SafetensorsHeader header;
    Handler handler(header, file);
    nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
    return header;
}

}  // namespace liven::io
