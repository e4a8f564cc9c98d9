#pragma once

#include <cstdint>
#include <span>

namespace liven::data {

/// Follows the tables of a Motion JPEG stream. A picture may leave out tables that an earlier one has brought: decoders
/// keep them from frame to frame, so that it means something else, or nothing, when those before it were not decoded.
class JpegTables {
public:
    /// Looks at the next picture of the stream, whether it will be decoded or not. True when it can be decoded without
    /// those before: it has one scan and brings the quantization tables that it uses and its Huffman tables; or leaves
    /// the latter out as all before it have, which stands for those of the standard's annex K.
    bool see(std::span<const uint8_t> picture);

private:
    bool huffman_seen_ = false;
};

}  // namespace liven::data
