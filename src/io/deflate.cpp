#include "src/io/deflate.hpp"

#include <utility>

#include "liven/core/error.hpp"

#if LIVEN_WITH_ZLIB

#define ZLIB_CONST  // what zlib reads, it declares const
#include <zlib.h>

#include <algorithm>
#include <array>

namespace liven::io {
namespace {

constexpr size_t kPiece = size_t{1} << 30;  // zlib counts bytes in 32 bits
constexpr int kRaw = -MAX_WBITS;            // negative: no zlib header, as zip has it

/// Compresses into a string; a class so that zlib's memory is freed when that string cannot grow.
class Deflater {
public:
    Deflater() {
        constexpr int kMemoryLevel = 8;
        if (::deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRaw, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
            throw Error("zip", "zlib cannot start compressing");
    }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    ~Deflater() { ::deflateEnd(&stream_); }

    void feed(std::string_view bytes, int flush) {
        stream_.next_in = reinterpret_cast<const unsigned char*>(bytes.data());
        stream_.avail_in = static_cast<unsigned>(bytes.size());
        do {
            stream_.next_out = buffer_.data();
            stream_.avail_out = static_cast<unsigned>(buffer_.size());
            ::deflate(&stream_, flush);
            out.append(reinterpret_cast<const char*>(buffer_.data()), buffer_.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
    }
    std::string out;

private:
    z_stream stream_{};
    std::array<unsigned char, 64 << 10> buffer_{};
};

}  // namespace

std::string deflate(std::initializer_list<std::string_view> parts) {
    Deflater deflater;
    for (std::string_view part : parts)
        for (; !part.empty(); part.remove_prefix(std::min(part.size(), kPiece)))
            deflater.feed(part.substr(0, kPiece), Z_NO_FLUSH);
    deflater.feed({}, Z_FINISH);
    return std::move(deflater.out);
}

struct Inflater::State {
    Refill refill;
    z_stream stream{};
    bool ended = false;
};

Inflater::Inflater(Refill refill) : state_(std::make_unique<State>()) {
    state_->refill = std::move(refill);
    if (::inflateInit2(&state_->stream, kRaw) != Z_OK) throw Error("zip", "zlib cannot start inflating");
}

Inflater::~Inflater() { ::inflateEnd(&state_->stream); }

bool Inflater::ended() const { return state_->ended; }

size_t Inflater::read(unsigned char* target, size_t bytes) {
    z_stream& stream = state_->stream;
    size_t done = 0;
    while (done < bytes && !state_->ended) {
        if (stream.avail_in == 0) {
            const std::span<const unsigned char> more = state_->refill();
            stream.next_in = more.data();
            stream.avail_in = static_cast<unsigned>(more.size());
        }
        const size_t piece = std::min(bytes - done, kPiece);
        stream.next_out = target + done;
        stream.avail_out = static_cast<unsigned>(piece);
        const int code = ::inflate(&stream, Z_NO_FLUSH);
        done += piece - stream.avail_out;
        state_->ended = code == Z_STREAM_END;
        if (code != Z_OK && code != Z_STREAM_END) break;  // damaged, or the input is used up
    }
    return done;
}

}  // namespace liven::io

#else

namespace liven::io {
namespace {

[[noreturn]] void refuse() {
    throw Error("zip", "this build of Liven has no zlib and cannot handle compressed arrays",
                "install zlib1g-dev and build again, or use uncompressed .npz");
}

}  // namespace

struct Inflater::State {};
std::string deflate(std::initializer_list<std::string_view>) { refuse(); }
Inflater::Inflater(Refill) { refuse(); }
Inflater::~Inflater() = default;
size_t Inflater::read(unsigned char*, size_t) { return 0; }
bool Inflater::ended() const { return true; }

}  // namespace liven::io

#endif
