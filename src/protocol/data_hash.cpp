#include "data_hash.hpp"

#include <cstdio>

#include "liven/data/manifest.hpp"
#include "liven/io/file.hpp"
#include "src/core/fnv.hpp"

namespace liven::protocol {

std::string hash_of(std::string_view text) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
    return digits;
}

std::string hash_of_manifest(const std::filesystem::path& manifest) {
    std::string facts = read_text_file(manifest, uint64_t{1} << 32);
    std::filesystem::path last;
    for (const data::Sample& sample : data::read_manifest(manifest).samples) {
        if (sample.path == last) continue;  // the frames of one recording
        last = sample.path;
        facts += '\n' + file_state(sample.path);
        for (const std::string& beside : {sample.depth_path, sample.mask_path})
            if (!beside.empty()) facts += '\n' + file_state(beside);
    }
    return hash_of(facts);
}

}  // namespace liven::protocol
