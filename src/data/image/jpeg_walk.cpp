#include "src/data/image/jpeg_walk.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace liven::data {
namespace {

using Bytes = std::span<const uint8_t>;

struct Damage {
    const char* what;
};
/// A kind of JPEG this does not walk through.
struct Unknown {};

uint32_t checked16(Bytes b, size_t i) {
    if (i + 2 > b.size()) throw Damage{"a segment is too short"};
    return static_cast<uint32_t>(b[i] << 8 | b[i + 1]);
}

/// Codes of up to 16 bits to symbols (ITU T.81, annex C and F.2.2.3), by looking the next 16 bits up.
class HuffmanTable {
public:
    /// Reads one table from a DHT segment; returns the bytes it took.
    size_t read(Bytes b) {
        if (b.size() < 17) throw Damage{"a Huffman table is too short"};
        size_t count = 0;
        for (size_t i = 1; i <= 16; ++i) count += b[i];
        if (count > 256 || b.size() < 17 + count) throw Damage{"a Huffman table is too short"};
        entries_.assign(65'536, {});
        uint32_t code = 0;
        size_t symbol = 0;
        for (uint32_t length = 1; length <= 16; ++length, code <<= 1)
            for (uint32_t i = 0; i < b[length]; ++i, ++code, ++symbol) {
                if (code >= 1u << length) throw Damage{"a Huffman table has too many codes"};
                const uint32_t first = code << (16 - length), span = 1u << (16 - length);
                for (uint32_t k = 0; k < span; ++k)
                    entries_[first + k] = {static_cast<uint8_t>(length), b[17 + symbol]};
            }
        return 17 + count;
    }
    struct Entry {
        uint8_t length = 0, symbol = 0;  ///< length 0: no code begins like this
    };
    bool empty() const { return entries_.empty(); }
    Entry operator[](uint32_t next16) const { return entries_[next16]; }

private:
    std::vector<Entry> entries_;
};

/// The bits between two markers, stuffed zeros taken out.
class BitReader {
public:
    BitReader(Bytes file, size_t at) : file_(file), at_(at) {}

    uint32_t symbol(const HuffmanTable& table) {
        fill();
        const HuffmanTable::Entry entry = table[static_cast<uint32_t>(bits_ >> 48)];
        if (entry.length == 0) throw Damage{"a code does not exist"};
        drop(entry.length);
        return entry.symbol;
    }
    void skip(int count) {
        fill();
        drop(count);
    }
    /// Ends the run of blocks: less than a byte of bits may be left before the next marker. Returns the marker's place.
    size_t finish() {
        // A few encoders pad; what a lost code leaves over is longer.
        constexpr size_t padding = 4;
        const auto whole = static_cast<size_t>(held_ / 8);
        size_t left = whole;
        while (!at_marker()) {
            take();
            ++left;
        }
        if (left > padding) throw Damage{"there are more data than blocks"};
        return at_;
    }

private:
    bool at_marker() const {
        if (at_ + 1 >= file_.size()) return true;
        return file_[at_] == 0xff && file_[at_ + 1] != 0;
    }
    uint8_t take() {
        const uint8_t byte = file_[at_];
        at_ += byte == 0xff ? 2 : 1;
        return byte;
    }
    /// At least 48 bits, unless a marker is near; missing ones are zeros that must not be used.
    void fill() {
        while (held_ <= 56 && !at_marker()) {
            bits_ |= uint64_t{take()} << (56 - held_);
            held_ += 8;
        }
    }
    void drop(int count) {
        if (count > held_) throw Damage{"the data end before the blocks do"};
        bits_ <<= count;
        held_ -= count;
    }

    Bytes file_;
    size_t at_;
    uint64_t bits_ = 0;
    int held_ = 0;
};

struct Component {
    uint8_t id = 0;
    int64_t across = 1, down = 1;  ///< sampling factors
    uint32_t dc = 0, ac = 0;       ///< table numbers of the present scan
};

class Walker {
public:
    explicit Walker(Bytes file) : file_(file) {}

    void run() {
        for (size_t at = 2;;) {
            while (marker_at(at) == 0xff) ++at;
            const uint8_t marker = marker_at(at);
            if (marker == 0xd9) return;
            if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
                at += 2;
                continue;
            }
            const size_t length = checked16(file_, at + 2);
            if (length < 2 || length > file_.size() - (at + 2)) throw Damage{"a segment is too short"};
            const Bytes body = file_.subspan(at + 4, length - 2);
            at += 2 + length;
            if (marker == 0xc4) huffman_tables(body);
            if (marker == 0xdd) restart_ = checked16(body, 0);
            if (marker == 0xc0 || marker == 0xc1) frame(body);
            if (marker >= 0xc2 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) throw Unknown{};
            if (marker == 0xcc || marker == 0xdc) throw Unknown{};
            if (marker == 0xda) at = scan(body, at);
        }
    }

private:
    /// What follows the byte that opens a marker. A scan may have ended elsewhere than its segments say.
    uint8_t marker_at(size_t at) const {
        if (at + 2 > file_.size()) throw Damage{"there is no end mark"};
        return file_[at + 1];
    }

    void huffman_tables(Bytes body) {
        while (!body.empty()) {
            const uint32_t number = body[0] & 15u, kind = body[0] >> 4;
            if (number > 3 || kind > 1) throw Damage{"a Huffman table has no such place"};
            body = body.subspan(tables_[kind][number].read(body));
        }
    }

    void frame(Bytes body) {
        if (body.size() < 6 || body[0] != 8) throw Unknown{};
        height_ = checked16(body, 1);
        width_ = checked16(body, 3);
        const size_t count = body[5];
        if (count == 0 || count > 4 || body.size() < 6 + 3 * count) throw Damage{"the frame has no proper components"};
        components_.assign(count, {});
        for (size_t i = 0; i < count; ++i) {
            Component& c = components_[i];
            c.id = body[6 + 3 * i];
            c.across = body[7 + 3 * i] >> 4;
            c.down = body[7 + 3 * i] & 15;
            if (c.across < 1 || c.across > 4 || c.down < 1 || c.down > 4)
                throw Damage{"a component has no proper sampling"};
            most_across_ = std::max(most_across_, c.across);
            most_down_ = std::max(most_down_, c.down);
        }
    }

    size_t scan(Bytes body, size_t at) {
        if (body.empty() || components_.empty()) throw Damage{"a scan comes before its frame"};
        const size_t count = body[0];
        if (count == 0 || count > components_.size() || body.size() < 4 + 2 * count)
            throw Damage{"a scan has no proper components"};
        if (body[1 + 2 * count] != 0 || body[2 + 2 * count] != 63 || body[3 + 2 * count] != 0)
            throw Damage{"a scan has no proper range"};
        std::vector<Component> used;
        for (size_t i = 0; i < count; ++i) {
            size_t k = 0;
            while (k < components_.size() && components_[k].id != body[1 + 2 * i]) ++k;
            if (k == components_.size()) throw Damage{"a scan names a component that is not there"};
            Component c = components_[k];
            c.dc = body[2 + 2 * i] >> 4;
            c.ac = body[2 + 2 * i] & 15u;
            if (c.dc > 3 || c.ac > 3 || tables_[0][c.dc].empty() || tables_[1][c.ac].empty())
                throw Damage{"a scan names a table that is not there"};
            used.push_back(c);
        }
        return units(used, at);
    }

    static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

    /// All coded units of a scan, restart markers between them. Several components are interleaved; one by itself comes
    /// block by block.
    size_t units(const std::vector<Component>& used, size_t at) {
        const bool alone = used.size() == 1;
        const int64_t wide = 8 * most_across_, high = 8 * most_down_;
        const int64_t total =
            alone ? up(up(width_ * used[0].across, most_across_), 8) * up(up(height_ * used[0].down, most_down_), 8)
                  : up(width_, wide) * up(height_, high);
        for (int64_t done = 0; done < total;) {
            BitReader bits(file_, at);
            const int64_t run = restart_ > 0 ? std::min<int64_t>(restart_, total - done) : total;
            for (int64_t i = 0; i < run; ++i)
                for (const Component& c : used)
                    for (int64_t block = alone ? 1 : c.across * c.down; block > 0; --block) walk_block(bits, c);
            at = bits.finish();
            done += run;
            if (done < total) {
                if (marker_at(at) < 0xd0 || marker_at(at) > 0xd7) throw Damage{"the data end before the blocks do"};
                at += 2;
            }
        }
        return at;
    }

    void walk_block(BitReader& bits, const Component& c) const {
        const uint32_t dc = bits.symbol(tables_[0][c.dc]);
        if (dc > 15) throw Damage{"a code does not exist"};
        if (dc > 0) bits.skip(static_cast<int>(dc));
        for (uint32_t k = 1; k < 64; ++k) {
            const uint32_t symbol = bits.symbol(tables_[1][c.ac]), size = symbol & 15u;
            if (size == 0) {
                if (symbol != 0xf0) return;  // the rest of the block is zero
                k += 15;
            } else {
                k += symbol >> 4;
                bits.skip(static_cast<int>(size));
            }
            if (k > 63) throw Damage{"a block has too many values"};
        }
    }

    Bytes file_;
    std::array<std::array<HuffmanTable, 4>, 2> tables_;
    std::vector<Component> components_;
    int64_t width_ = 0, height_ = 0, most_across_ = 1, most_down_ = 1, restart_ = 0;
};

}  // namespace

std::optional<std::string> find_jpeg_damage(Bytes file) {
    try {
        Walker(file).run();
    } catch (const Damage& damage) {
        return damage.what;
    } catch (const Unknown&) {
        return {};
    }
    return {};
}

}  // namespace liven::data
