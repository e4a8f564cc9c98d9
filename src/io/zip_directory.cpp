#include <algorithm>
#include <string>

#include "liven/core/error.hpp"
#include "src/io/little_endian.hpp"
#include "src/io/zip.hpp"

namespace liven::io {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                   kLocator64 = 0x07064b50;
constexpr size_t kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56, kCentralSize = 46, kLocalSize = 30;
constexpr uint64_t kMaxDirectory = uint64_t{16} << 20;

struct Directory {
    uint64_t offset = 0, bytes = 0, entries = 0;
};

std::string part(const InputFile& file, uint64_t offset, size_t bytes) {
    std::string out(bytes, '\0');
    file.read(offset, out.data(), bytes);
    return out;
}

[[noreturn]] void fail(const InputFile& file, const std::string& what) {
    throw Error(file.path().string(), what, "the archive is truncated or damaged");
}

/// The zip64 record holds what does not fit the old one; a locator in front of that tells where it is.
Directory find_directory64(const InputFile& file, uint64_t end) {
    if (end < kLocatorSize + kEnd64Size) fail(file, "the zip64 directory is missing");
    const std::string locator = part(file, end - kLocatorSize, kLocatorSize);
    const uint64_t at = load<uint64_t>(locator, 8);
    if (load<uint32_t>(locator, 0) != kLocator64 || at > end - kLocatorSize - kEnd64Size)
        fail(file, "the zip64 directory is missing");
    const std::string record = part(file, at, kEnd64Size);
    if (load<uint32_t>(record, 0) != kEnd64)
        fail(file, "the zip64 directory at offset " + std::to_string(at) + " is broken");
    return {.offset = load<uint64_t>(record, 48),
            .bytes = load<uint64_t>(record, 40),
            .entries = load<uint64_t>(record, 32)};
}

Directory find_directory(const InputFile& file) {
    // The end record lies before a comment of at most 65,535 bytes.
    const uint64_t tail = std::min<uint64_t>(file.size(), kEndSize + 0xffff);
    if (tail < kEndSize) throw Error(file.path().string(), "is too short for a zip archive");
    const std::string bytes = part(file, file.size() - tail, tail);
    for (size_t at = bytes.size() - kEndSize + 1; at-- > 0;) {
        if (load<uint32_t>(bytes, at) != kEnd || load<uint16_t>(bytes, at + 20) != bytes.size() - at - kEndSize)
            continue;
        const uint64_t end = file.size() - tail + at;
        Directory found{.offset = load<uint32_t>(bytes, at + 16),
                        .bytes = load<uint32_t>(bytes, at + 12),
                        .entries = load<uint16_t>(bytes, at + 10)};
        if (found.offset == 0xffffffffu || found.bytes == 0xffffffffu || found.entries == 0xffffu)
            found = find_directory64(file, end);
        if (found.offset > end || found.bytes > end - found.offset || found.bytes > kMaxDirectory)
            fail(file, "the zip directory claims offset " + std::to_string(found.offset) + " and " +
                           std::to_string(found.bytes) + " bytes");
        return found;
    }
    throw Error(file.path().string(), "has no zip directory", "the file is truncated or no .npz archive");
}

/// Zip64 values stand in the extra field with tag 1, only those whose short form is all ones, in this order.
void read_extra64(const InputFile& file, std::string_view extra, ZipEntry& entry) {
    const bool wide_bytes = entry.bytes == 0xffffffffu, wide_compressed = entry.compressed == 0xffffffffu,
               wide_header = entry.header == 0xffffffffu;
    if (!wide_bytes && !wide_compressed && !wide_header) return;
    while (extra.size() >= 4) {
        const uint16_t tag = load<uint16_t>(extra, 0), size = load<uint16_t>(extra, 2);
        extra.remove_prefix(4);
        if (size > extra.size()) break;
        if (tag == 1) {
            std::string_view values = extra.substr(0, size);
            for (auto [wide, value] :
                 {std::pair{wide_bytes, &entry.bytes}, std::pair{wide_compressed, &entry.compressed},
                  std::pair{wide_header, &entry.header}}) {
                if (!wide) continue;
                if (values.size() < 8) fail(file, "entry '" + entry.name + "' lacks zip64 sizes");
                *value = load<uint64_t>(values, 0);
                values.remove_prefix(8);
            }
            return;
        }
        extra.remove_prefix(size);
    }
    fail(file, "entry '" + entry.name + "' lacks zip64 sizes");
}

/// Takes one record off the front of the directory.
ZipEntry read_central(const InputFile& file, std::string_view& rest) {
    if (rest.size() < kCentralSize || load<uint32_t>(rest, 0) != kCentral) fail(file, "the zip directory is broken");
    const size_t name = load<uint16_t>(rest, 28), extra = load<uint16_t>(rest, 30), comment = load<uint16_t>(rest, 32);
    if (rest.size() < kCentralSize + name + extra + comment) fail(file, "the zip directory is broken");
    const uint16_t flags = load<uint16_t>(rest, 8), method = load<uint16_t>(rest, 10);
    ZipEntry entry{.name = std::string(rest.substr(kCentralSize, name)),
                   .header = load<uint32_t>(rest, 42),
                   .data = 0,
                   .compressed = load<uint32_t>(rest, 20),
                   .bytes = load<uint32_t>(rest, 24),
                   .crc = load<uint32_t>(rest, 16),
                   .deflated = method == 8};
    read_extra64(file, rest.substr(kCentralSize + name, extra), entry);
    rest.remove_prefix(kCentralSize + name + extra + comment);
    const std::string where = file.path().string() + ": " + entry.name;
    if (flags & 1u) throw Error(where, "the entry is encrypted");
    if (method != 0 && method != 8)
        throw Error(where,
                    "the entry has compression method " + std::to_string(method) + ", expected stored or deflate");
    return entry;
}

/// Finds the data behind the local header and checks that the sizes are possible.
void locate(const InputFile& file, const Directory& directory, ZipEntry& entry) {
    const std::string where = "entry '" + entry.name + "'";
    if (entry.header > directory.offset || directory.offset - entry.header < kLocalSize)
        fail(file, where + " claims offset " + std::to_string(entry.header));
    const std::string local = part(file, entry.header, kLocalSize);
    const uint64_t name = load<uint16_t>(local, 26), extra = load<uint16_t>(local, 28);
    if (load<uint32_t>(local, 0) != kLocal || name != entry.name.size() ||
        load<uint16_t>(local, 8) != (entry.deflated ? 8 : 0))
        fail(file, where + " disagrees with its header at offset " + std::to_string(entry.header));
    entry.data = entry.header + kLocalSize + name + extra;
    if (entry.data > directory.offset || entry.compressed > directory.offset - entry.data)
        fail(file,
             where + " claims " + std::to_string(entry.compressed) + " bytes at offset " + std::to_string(entry.data));
    if (part(file, entry.header + kLocalSize, entry.name.size()) != entry.name)
        fail(file, where + " has another name at offset " + std::to_string(entry.header));
    // Deflate's longest match, 258 bytes, takes at least two bits.
    constexpr uint64_t kMostRatio = 1032, kSmall = 1024;
    const bool impossible =
        entry.deflated ? entry.bytes / kMostRatio > entry.compressed + kSmall : entry.bytes != entry.compressed;
    if (impossible)
        fail(file, where + " claims " + std::to_string(entry.bytes) + " bytes in " + std::to_string(entry.compressed));
}

/// Overlapping entries are how small archives claim to be huge.
void refuse_overlaps(const InputFile& file, std::vector<ZipEntry> entries) {
    std::sort(entries.begin(), entries.end(), [](const ZipEntry& a, const ZipEntry& b) { return a.header < b.header; });
    for (size_t i = 1; i < entries.size(); ++i)
        if (entries[i].header < entries[i - 1].data + entries[i - 1].compressed)
            fail(file, "entries '" + entries[i - 1].name + "' and '" + entries[i].name + "' overlap");
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const InputFile& file) {
    const Directory directory = find_directory(file);
    const std::string bytes = part(file, directory.offset, directory.bytes);
    std::string_view rest = bytes;
    std::vector<ZipEntry> entries;
    while (!rest.empty()) {
        entries.push_back(read_central(file, rest));
        locate(file, directory, entries.back());
    }
    if (entries.size() != directory.entries)
        fail(file, "the zip directory lists " + std::to_string(entries.size()) + " entries and claims " +
                       std::to_string(directory.entries));
    refuse_overlaps(file, entries);
    return entries;
}

}  // namespace liven::io
