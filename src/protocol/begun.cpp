#include "begun.hpp"

#include "data_hash.hpp"
#include "liven/core/error.hpp"
#include "liven/data/manifest.hpp"
#include "liven/io/file.hpp"

namespace liven::protocol {

std::filesystem::path begin_or_go_on(const data::Dataset& set, const Undertaking& asked,
                                     const std::filesystem::path& out) {
    const std::filesystem::path folder = std::filesystem::absolute(out).lexically_normal();
    std::filesystem::path data = folder / "data.csv";
    const std::filesystem::path fresh = folder / "data.new.csv";
    data::write_manifest(set, fresh);
    std::string description = asked.settings + "\n# data " + hash_of_manifest(fresh) + "\n";
    if (!asked.pretrained.empty()) description += "# pretrained " + file_state(asked.pretrained) + "\n";
    if (std::filesystem::exists(asked.file) && read_text_file(asked.file) != description) {
        std::filesystem::remove(fresh);
        throw Error(out.string(),
                    "there is another " + asked.what +
                        " here: its settings, its pretrained weights or its data differ (" +
                        asked.file.filename().string() + ")",
                    "choose another --out");
    }
    write_file_atomically(asked.file, description);
    std::filesystem::rename(fresh, data);
    return data;
}

}  // namespace liven::protocol
