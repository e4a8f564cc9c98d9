#include "liven/data/dataset.hpp"

#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/data/folder.hpp"
#include "liven/data/manifest.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;

std::string_view name_of(Label label) { return label == Label::bonafide ? "bonafide" : "attack"; }

std::string_view name_of(Split split) {
    switch (split) {
        case Split::none:
            return "";
        case Split::train:
            return "train";
        case Split::val:
            return "val";
        case Split::test:
            return "test";
    }
    return "?";
}

std::optional<Label> label_from(std::string_view word) {
    const std::string w = lower(word);
    for (const char* name : {"bonafide", "bona_fide", "bona-fide", "bona fide", "real", "live", "genuine", "client"})
        if (w == name) return Label::bonafide;
    for (const char* name : {"attack", "spoof", "fake", "imposter", "impostor"})
        if (w == name) return Label::attack;
    return {};
}

std::optional<Split> split_from(std::string_view word) {
    const std::string w = lower(word);
    for (const char* name : {"train", "training"})
        if (w == name) return Split::train;
    for (const char* name : {"val", "validation", "devel", "dev", "development"})
        if (w == name) return Split::val;
    for (const char* name : {"test", "testing"})
        if (w == name) return Split::test;
    return {};
}

int64_t Dataset::count(Label label) const {
    return std::count_if(samples.begin(), samples.end(), [&](const Sample& s) { return s.label == label; });
}

int64_t Dataset::count(Split split) const {
    return std::count_if(samples.begin(), samples.end(), [&](const Sample& s) { return s.split == split; });
}

Dataset Dataset::only(Split split) const {
    Dataset out{.name = name, .samples = {}, .skipped = {}, .warnings = {}};
    std::copy_if(samples.begin(), samples.end(), std::back_inserter(out.samples),
                 [&](const Sample& s) { return s.split == split; });
    return out;
}

Dataset open_dataset(const fs::path& path) {
    if (path.empty()) throw Error("data", "expected a manifest or a folder, but no name is given");
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (!fs::exists(status))
        throw Error(path.string(), code && code != std::errc::no_such_file_or_directory
                                       ? "cannot be read: " + code.message()
                                       : "there is no such file or folder");
    if (!fs::is_directory(status)) return read_manifest(path);
    const fs::path manifest = path / "manifest.csv";
    return fs::exists(manifest, code) ? read_manifest(manifest) : read_folder(path);
}

}  // namespace liven::data
