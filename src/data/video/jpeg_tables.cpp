#include "src/data/video/jpeg_tables.hpp"

#include <cstddef>

namespace liven::data {
namespace {

using Bytes = std::span<const uint8_t>;

/// What stands before the first scan of a picture. A bit for each table: of Huffman's the four for AC follow those for
/// DC.
struct Head {
    bool whole = false;  ///< to the scan, which holds all components
    unsigned quantization = 0, huffman = 0;
    unsigned uses_quantization = 0, uses_huffman = 0;
    size_t components = 0;
};

unsigned bit(unsigned table) { return 1u << (table & 3); }

void see_quantization(Bytes segment, Head& head) {
    for (size_t at = 0; at < segment.size();) {
        const size_t bytes = segment[at] >> 4 == 0 ? 65 : 129;
        if (at + bytes > segment.size()) return;
        head.quantization |= bit(segment[at]);
        at += bytes;
    }
}

void see_huffman(Bytes segment, Head& head) {
    for (size_t at = 0; at + 17 <= segment.size();) {
        size_t bytes = 17;
        for (size_t i = 1; i <= 16; ++i) bytes += segment[at + i];
        if (at + bytes > segment.size()) return;
        head.huffman |= bit(segment[at]) << (segment[at] >> 4 == 0 ? 0 : 4);
        at += bytes;
    }
}

void see_frame(Bytes segment, Head& head) {
    if (segment.size() < 6) return;
    head.components = segment[5];
    for (size_t i = 0; i < head.components && 6 + 3 * i + 2 < segment.size(); ++i)
        head.uses_quantization |= bit(segment[6 + 3 * i + 2]);
}

void see_scan(Bytes segment, Head& head) {
    if (segment.empty() || segment[0] != head.components || segment.size() < 1 + 2 * head.components) return;
    for (size_t i = 0; i < head.components; ++i) {
        const unsigned tables = segment[1 + 2 * i + 1];
        head.uses_huffman |= bit(tables >> 4) | bit(tables) << 4;
    }
    head.whole = head.components > 0;
}

Head head_of(Bytes picture) {
    enum : uint8_t { sof0 = 0xC0, sof2 = 0xC2, dht = 0xC4, rst0 = 0xD0, soi = 0xD8, sos = 0xDA, dqt = 0xDB };
    Head head;
    for (size_t at = 0; at + 4 <= picture.size();) {
        if (picture[at] != 0xFF) break;
        const uint8_t marker = picture[at + 1];
        if (marker == 0xFF) {  // padding
            ++at;
            continue;
        }
        if (marker >= rst0 && marker <= soi) {  // a marker alone
            at += 2;
            continue;
        }
        const size_t length = static_cast<size_t>(picture[at + 2]) << 8 | picture[at + 3];
        if (length < 2 || at + 2 + length > picture.size()) break;
        const Bytes segment = picture.subspan(at + 4, length - 2);
        if (marker == dqt) see_quantization(segment, head);
        if (marker == dht) see_huffman(segment, head);
        if (marker >= sof0 && marker <= sof2) see_frame(segment, head);
        if (marker == sos) {
            see_scan(segment, head);
            break;
        }
        at += 2 + length;
    }
    return head;
}

}  // namespace

bool JpegTables::see(Bytes picture) {
    const Head head = head_of(picture);
    const bool huffman = (head.uses_huffman & ~head.huffman) == 0 || (head.huffman == 0 && !huffman_seen_);
    // What cannot be followed to its scan may bring any table behind it.
    huffman_seen_ = huffman_seen_ || head.huffman != 0 || !head.whole;
    return head.whole && huffman && (head.uses_quantization & ~head.quantization) == 0;
}

}  // namespace liven::data
