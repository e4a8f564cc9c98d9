#include "src/data/prepare/fingerprint.hpp"

#include <array>
#include <cstdio>

#include "liven/core/philox.hpp"
#include "src/core/fnv.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

class Hash {
public:
    /// FNV-1a, with an end so that "ab", "c" and "a", "bc" differ.
    Hash& operator<<(const std::string& text) {
        state_ = fnv1a("\xff", fnv1a(text, state_));
        return *this;
    }
    Hash& operator<<(int64_t value) { return *this << std::to_string(value); }
    std::string hexadecimal() const {
        std::array<char, 17> out{};
        std::snprintf(out.data(), out.size(), "%016llx",
                      static_cast<unsigned long long>(Random::mix(state_, 1)));  // FNV's high bits alone mix poorly
        return out.data();
    }

private:
    uint64_t state_ = fnv_basis;
};

void add_file(Hash& hash, const fs::path& path) {
    std::error_code code;
    hash << path.string() << static_cast<int64_t>(fs::file_size(path, code));
    const auto time = fs::last_write_time(path, code);
    hash << (code ? 0 : static_cast<int64_t>(time.time_since_epoch().count()));
}

}  // namespace

std::string fingerprint_of(const PrepareOptions& options, const std::vector<Sample>& samples) {
    Hash hash;
    hash << "1" << options.to_json();
    if (options.faces == FaceSource::detector) add_file(hash, options.detector.model);
    fs::path last;
    for (const Sample& s : samples) {
        // Frames of one file come one after the other.
        if (s.path != last) add_file(hash, s.path);
        last = s.path;
        hash << s.frame << static_cast<int64_t>(s.label) << static_cast<int64_t>(s.split);
        for (const std::string* text :
             {&s.subject, &s.video, &s.attack_type, &s.dataset, &s.target, &s.modality, &s.depth_path, &s.mask_path})
            hash << *text;
        if (s.box)
            for (const float v : {s.box->x, s.box->y, s.box->width, s.box->height}) hash << number(v);
        for (const Point& p : s.landmarks) hash << number(p.x) << number(p.y);
    }
    return hash.hexadecimal();
}

}  // namespace liven::data
