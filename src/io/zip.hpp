#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "liven/io/file.hpp"
#include "src/io/deflate.hpp"
#include "src/io/elements.hpp"

/// The part of the zip format (PKWARE APPNOTE 6.3) that .npz needs: stored and deflated entries, zip64.
namespace liven::io {

struct ZipEntry {
    std::string name;
    uint64_t header = 0;      ///< offset of the local header
    uint64_t data = 0;        ///< offset of the bytes
    uint64_t compressed = 0;  ///< bytes in the file
    uint64_t bytes = 0;       ///< bytes after inflating
    uint32_t crc = 0;
    bool deflated = false;
};

/// Reads the central directory and checks it against the local headers. Throws Error with the file and the offset.
std::vector<ZipEntry> read_zip_directory(const InputFile& file);

/// The bytes of an entry, inflated as they are read. finish() must follow the last read.
class ZipSource final : public ByteSource {
public:
    ZipSource(const InputFile& file, const ZipEntry& entry);

    void read(void* target, size_t bytes) override;
    /// Throws Error when bytes are left or the checksum differs.
    void finish();

private:
    std::span<const unsigned char> refill();
    [[noreturn]] void fail(const std::string& what) const;

    const InputFile& file_;
    const ZipEntry& entry_;
    uint64_t taken_ = 0;  // compressed bytes read from the file
    uint64_t given_ = 0;  // bytes handed out
    uint32_t crc_ = 0;
    std::vector<unsigned char> input_;
    std::unique_ptr<Inflater> inflater_;  // none for a stored entry
};

/// Writes entries one after another, without time stamps.
class ZipWriter {
public:
    /// Offsets and sizes from `zip64_from` on are written as zip64; other values than the format's are for tests.
    explicit ZipWriter(OutputFile& out, uint64_t zip64_from = 0xffffffffu) : out_(out), zip64_from_(zip64_from) {}

    /// An entry whose bytes are `head` and then `body`.
    void add(const std::string& name, std::string_view head, std::string_view body, bool compress);
    /// The central directory; nothing may follow.
    void finish();

private:
    OutputFile& out_;
    uint64_t zip64_from_;
    std::vector<ZipEntry> entries_;
};

}  // namespace liven::io
