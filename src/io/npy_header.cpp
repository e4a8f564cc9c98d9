#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "liven/core/error.hpp"
#include "src/io/npy_format.hpp"

namespace liven::io {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint32_t kMaxHeader = 64 << 10;

/// The description is the text of a Python dictionary with three keys: {'descr': '<f4', 'fortran_order': False,
/// 'shape': (3, 4), }.
class Description {
public:
    Description(std::string_view text, const std::string& where) : text_(text), where_(where) {}

    NpyHeader parse() {
        NpyHeader header;
        unsigned seen = 0;
        expect('{');
        while (!accept('}')) {
            const std::string key = quoted();
            expect(':');
            unsigned bit = 0;
            if (key == "descr") {
                bit = 1;
                header.element = element();
            } else if (key == "fortran_order") {
                bit = 2;
                header.fortran_order = truth();
            } else if (key == "shape") {
                bit = 4;
                header.shape = shape();
            }
            if (bit == 0 || (seen & bit)) fail("unexpected key '" + key + "'");
            seen |= bit;
            if (!accept(',') && peek() != '}') fail("expected ',' or '}'");
        }
        if (peek() != '\0') fail("text after the description");
        if (seen != 7u) fail("expected the keys descr, fortran_order and shape");
        return header;
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw Error(where_, "the array's description is broken at character " + std::to_string(at_) + ": " + what);
    }
    char peek() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool accept(char c) {
        if (peek() != c || at_ >= text_.size()) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(std::string("expected '") + c + "'");
    }
    bool accept_word(std::string_view word) {
        peek();
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }
    std::string quoted() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') fail("expected a quoted text; arrays of records are not read");
        const size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos) fail("a text without end");
        std::string out(text_.substr(at_ + 1, end - at_ - 1));
        at_ = end + 1;
        return out;
    }
    bool truth() {
        if (accept_word("True")) return true;
        if (!accept_word("False")) fail("expected True or False");
        return false;
    }
    Element element() {
        const std::string descr = quoted();
        struct Known {
            std::string_view name;
            Element element;
        };
        constexpr std::array<Known, 7> known{{{"f2", Element::f16},
                                              {"f4", Element::f32},
                                              {"f8", Element::f64},
                                              {"i4", Element::i32},
                                              {"i8", Element::i64},
                                              {"u1", Element::u8},
                                              {"b1", Element::boolean}}};
        for (const Known& type : known)
            if (descr.size() == 3 && descr.substr(1) == type.name &&
                std::string_view("<|=").find(descr[0]) != std::string_view::npos)
                return type.element;
        throw Error(where_, "the array has type '" + descr + "', expected little-endian f2, f4, f8, i4, i8, u1 or b1",
                    "convert it in NumPy with .astype('<f4')");
    }
    Shape shape() {
        Shape out;
        expect('(');
        while (!accept(')')) {
            peek();
            int64_t extent = 0;
            const char* first = text_.data() + at_;
            const auto [end, code] = std::from_chars(first, text_.data() + text_.size(), extent);
            if (code != std::errc() || extent < 0) fail("expected an extent");
            at_ += static_cast<size_t>(end - first);
            if (out.rank() == Shape::max_rank) fail("more than 6 axes");
            try {
                out.append(extent);
            } catch (const Error&) {
                fail("more elements than 64 bits count");
            }
            if (!accept(',') && peek() != ')') fail("expected ',' or ')'");
        }
        return out;
    }

    std::string_view text_;
    const std::string& where_;
    size_t at_ = 0;
};

/// Reads the length, 2 bytes in version 1 and 4 later, and then the text. `start` receives where the text begins.
std::string description_text(ByteSource& source, uint64_t bytes, uint64_t& start, const std::string& where) {
    std::array<char, 12> head{};
    if (bytes < 10) throw Error(where, "has " + std::to_string(bytes) + " bytes, too few for an array");
    source.read(head.data(), 8);
    if (std::string_view(head.data(), kMagic.size()) != kMagic)
        throw Error(where, "does not begin with the bytes of a NumPy array");
    const int version = static_cast<unsigned char>(head[6]);
    if (version < 1 || version > 3)
        throw Error(where, "has NumPy format version " + std::to_string(version) + ", expected 1, 2 or 3");
    const size_t width = version == 1 ? 2 : 4;
    if (bytes < 8 + width) throw Error(where, "ends inside the array's header");
    uint32_t length = 0;
    source.read(head.data() + 8, width);
    std::memcpy(&length, head.data() + 8, width);
    start = 8 + width;
    if (length > kMaxHeader || length > bytes - start)
        throw Error(where, "claims a description of " + std::to_string(length) + " bytes, but has " +
                               std::to_string(bytes) + " in all and 65,536 are the most");
    std::string text(length, '\0');
    source.read(text.data(), length);
    return text;
}

std::string_view type_text(DType type) {
    switch (type) {
        case DType::i32:
            return "<i4";
        case DType::i64:
            return "<i8";
        case DType::u8:
            return "|u1";
        default:
            return "<f4";
    }
}

}  // namespace

NpyHeader read_npy_header(ByteSource& source, uint64_t bytes, const NpyLimits& limits, const std::string& where) {
    uint64_t start = 0;
    const std::string text = description_text(source, bytes, start, where);
    const NpyHeader header = Description(text, where).parse();
    const uint64_t count = static_cast<uint64_t>(header.shape.count());
    uint64_t stored = 0, held = 0;
    if (__builtin_mul_overflow(count, uint64_t{size_of(header.element)}, &stored) ||
        __builtin_mul_overflow(count, uint64_t{liven::size_of(dtype_of(header.element))}, &held) ||
        held > limits.max_array_bytes)
        throw Error(where, "the array " + header.shape.str() + " needs more than " +
                               std::to_string(limits.max_array_bytes) + " bytes");
    if (stored != bytes - start - text.size())
        throw Error(where,
                    "the array " + header.shape.str() + " needs " + std::to_string(stored) +
                        " bytes of values, which is not what follows its header",
                    "the file is truncated or damaged");
    return header;
}

std::string npy_header(const HostTensor& tensor) {
    std::string shape;
    for (int64_t extent : tensor.shape) shape += std::to_string(extent) + ", ";
    // NumPy writes (3,) for one axis and (3, 4) for more.
    if (!shape.empty()) shape.resize(shape.size() - (tensor.shape.rank() == 1 ? 1 : 2));
    std::string text =
        "{'descr': '" + std::string(type_text(tensor.dtype)) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    text.append((64 - (10 + text.size() + 1) % 64) % 64, ' ');
    text += '\n';
    std::string out(kMagic);
    out += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
    return out + text;
}

}  // namespace liven::io
