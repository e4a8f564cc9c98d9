#include <algorithm>

#include "liven/core/error.hpp"
#include "src/core/crc32.hpp"
#include "src/io/zip.hpp"

namespace liven::io {

ZipSource::ZipSource(const InputFile& file, const ZipEntry& entry) : file_(file), entry_(entry) {
    if (!entry.deflated) return;
    input_.resize(size_t{64} << 10);
    inflater_ = std::make_unique<Inflater>([this] { return refill(); });
}

std::span<const unsigned char> ZipSource::refill() {
    const size_t now = std::min<uint64_t>(input_.size(), entry_.compressed - taken_);
    file_.read(entry_.data + taken_, input_.data(), now);
    taken_ += now;
    return {input_.data(), now};
}

void ZipSource::fail(const std::string& what) const {
    throw Error(file_.path().string() + ": " + entry_.name, what, "the archive is damaged");
}

void ZipSource::read(void* target, size_t bytes) {
    unsigned char* to = static_cast<unsigned char*>(target);
    if (bytes > entry_.bytes - given_) fail("ends after " + std::to_string(entry_.bytes) + " bytes");
    if (inflater_) {
        const size_t done = inflater_->read(to, bytes);
        if (done != bytes)
            fail("cannot inflate past byte " + std::to_string(given_ + done) + " of " + std::to_string(entry_.bytes));
    } else {
        file_.read(entry_.data + given_, to, bytes);
    }
    crc_ = crc32(crc_, to, bytes);
    given_ += bytes;
}

void ZipSource::finish() {
    if (given_ != entry_.bytes) fail(std::to_string(entry_.bytes - given_) + " bytes follow the array");
    unsigned char extra = 0;  // the end mark may not have been looked at yet
    if (inflater_ && (inflater_->read(&extra, 1) != 0 || !inflater_->ended()))
        fail("the compressed data does not end after " + std::to_string(entry_.bytes) + " bytes");
    if (crc_ != entry_.crc) fail("the checksum differs from the one stored");
}

}  // namespace liven::io
