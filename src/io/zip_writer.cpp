#include <utility>

#include "liven/core/error.hpp"
#include "src/core/crc32.hpp"
#include "src/io/little_endian.hpp"
#include "src/io/zip.hpp"

namespace liven::io {
namespace {

constexpr uint32_t kAllOnes = 0xffffffffu;
constexpr uint16_t kFirstOfJanuary1980 = 1 << 5 | 1;  // the format's first day, so that equal content gives equal bytes

uint32_t narrow(uint64_t value, uint64_t limit) { return value >= limit ? kAllOnes : static_cast<uint32_t>(value); }

/// What local header and directory have in common: version to flags, method, time, checksum, sizes, length of the name.
void store_common(std::string& out, const ZipEntry& entry, uint64_t limit, bool wide) {
    store<uint16_t>(out, wide ? 45 : 20);
    store<uint16_t>(out, 0x800);  // the name is UTF-8
    store<uint16_t>(out, entry.deflated ? 8 : 0);
    store<uint16_t>(out, 0);
    store<uint16_t>(out, kFirstOfJanuary1980);
    store<uint32_t>(out, entry.crc);
    // A local header with zip64 sizes must have both; the directory follows suit for simplicity.
    const bool wide_sizes = entry.bytes >= limit || entry.compressed >= limit;
    store<uint32_t>(out, wide_sizes ? kAllOnes : static_cast<uint32_t>(entry.compressed));
    store<uint32_t>(out, wide_sizes ? kAllOnes : static_cast<uint32_t>(entry.bytes));
    store<uint16_t>(out, static_cast<uint16_t>(entry.name.size()));
}

/// The extra field with the values that do not fit; empty when all do.
std::string extra64(const ZipEntry& entry, uint64_t limit, bool with_offset) {
    std::string values;
    if (entry.bytes >= limit || entry.compressed >= limit) {
        store<uint64_t>(values, entry.bytes);
        store<uint64_t>(values, entry.compressed);
    }
    if (with_offset && entry.header >= limit) store<uint64_t>(values, entry.header);
    if (values.empty()) return values;
    std::string out;
    store<uint16_t>(out, 1);
    store<uint16_t>(out, static_cast<uint16_t>(values.size()));
    return out + values;
}

std::string local_header(const ZipEntry& entry, uint64_t limit) {
    const std::string extra = extra64(entry, limit, false);
    std::string out;
    store<uint32_t>(out, 0x04034b50);
    store_common(out, entry, limit, !extra.empty());
    store<uint16_t>(out, static_cast<uint16_t>(extra.size()));
    return out + entry.name + extra;
}

std::string central_header(const ZipEntry& entry, uint64_t limit) {
    const std::string extra = extra64(entry, limit, true);
    std::string out;
    store<uint32_t>(out, 0x02014b50);
    store<uint16_t>(out, extra.empty() ? 20 : 45);
    store_common(out, entry, limit, !extra.empty());
    store<uint16_t>(out, static_cast<uint16_t>(extra.size()));
    out.append(10, '\0');  // comment, disk, attributes
    store<uint32_t>(out, narrow(entry.header, limit));
    return out + entry.name + extra;
}

/// The zip64 record and its locator, which go before the old end record when that is too narrow.
std::string end64(uint64_t entries, uint64_t offset, uint64_t bytes) {
    std::string out;
    store<uint32_t>(out, 0x06064b50);
    store<uint64_t>(out, 44);  // bytes of this record after this field
    store<uint16_t>(out, 45);
    store<uint16_t>(out, 45);
    store<uint64_t>(out, 0);  // disks
    store<uint64_t>(out, entries);
    store<uint64_t>(out, entries);
    store<uint64_t>(out, bytes);
    store<uint64_t>(out, offset);
    store<uint32_t>(out, 0x07064b50);
    store<uint32_t>(out, 0);
    store<uint64_t>(out, offset + bytes);
    store<uint32_t>(out, 1);
    return out;
}

}  // namespace

void ZipWriter::add(const std::string& name, std::string_view head, std::string_view body, bool compress) {
    if (name.size() > 0xffff)
        throw Error("zip", "a name has " + std::to_string(name.size()) + " bytes, at most 65,535");
    ZipEntry entry{.name = name,
                   .header = out_.offset(),
                   .data = 0,
                   .compressed = head.size() + body.size(),
                   .bytes = head.size() + body.size(),
                   .crc = crc32(crc32(0, head.data(), head.size()), body.data(), body.size()),
                   .deflated = compress};
    const std::string packed = compress ? deflate({head, body}) : std::string();
    if (compress) entry.compressed = packed.size();
    out_.write(local_header(entry, zip64_from_));
    if (compress) {
        out_.write(packed);
    } else {
        out_.write(head);
        out_.write(body);
    }
    entries_.push_back(std::move(entry));
}

void ZipWriter::finish() {
    const uint64_t offset = out_.offset();
    for (const ZipEntry& entry : entries_) out_.write(central_header(entry, zip64_from_));
    const uint64_t bytes = out_.offset() - offset, count = entries_.size();
    if (offset >= zip64_from_ || bytes >= zip64_from_ || count >= 0xffff) out_.write(end64(count, offset, bytes));
    const uint16_t short_count = count >= 0xffff ? uint16_t{0xffff} : static_cast<uint16_t>(count);
    std::string end;
    store<uint32_t>(end, 0x06054b50);
    store<uint32_t>(end, 0);  // disks
    store<uint16_t>(end, short_count);
    store<uint16_t>(end, short_count);
    store<uint32_t>(end, narrow(bytes, zip64_from_));
    store<uint32_t>(end, narrow(offset, zip64_from_));
    store<uint16_t>(end, 0);
    out_.write(end);
}

}  // namespace liven::io
