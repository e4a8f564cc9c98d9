#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// Raw deflate streams (RFC 1951) through zlib, which is optional: without it, both throw Error saying so.
namespace liven::io {

/// The bytes of all parts, one after another, compressed.
std::string deflate(std::initializer_list<std::string_view> parts);

class Inflater {
public:
    /// `refill` gives the next compressed bytes, which stay valid until it is called again; an empty span at the end.
    using Refill = std::function<std::span<const unsigned char>()>;

    explicit Inflater(Refill refill);
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater();

    /// As many bytes as there are, at most `bytes`; fewer at the end of the stream or where it is damaged.
    size_t read(unsigned char* target, size_t bytes);
    /// True when the stream's end mark has been read.
    bool ended() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace liven::io
