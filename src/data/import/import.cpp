#include "liven/data/import.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/tree.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

constexpr std::array kImporters{&kMaskAttack, &kAuthorsLayout, &kCasiaFasd,    &kCasiaSurf, &kCelebaSpoof,
                                &kCsmad,      &kClassFolders,  &kHifiMask,     &kMsSpoof,   &kMsuMfsd,
                                &kNuaa,       &kOuluNpu,       &kReplayAttack, &kSiwM,      &kWmca};

/// The protocol that is meant: the first when none is named. Throws Error for one that is not there.
std::string protocol_of(const Importer& importer, const std::string& asked) {
    const std::vector<std::string> known = parts_of(importer.protocols, " ");
    if (asked.empty()) return known.empty() ? "none" : known[0];
    if (asked == "none" || std::find(known.begin(), known.end(), asked) != known.end()) return asked;
    throw Error(std::string(importer.title), "there is no protocol " + in_quotes(asked),
                known.empty() ? "the set has none of its own; leave --protocol out"
                              : "there are " + std::string(importer.protocols) + " and none");
}

/// A list that names a picture twice would make a manifest that cannot be read.
void leave_out_doubles(Dataset& out) {
    std::set<std::pair<std::string, int64_t>> seen;
    std::vector<Sample> once;
    for (Sample& sample : out.samples) {
        if (seen.emplace(sample.path.lexically_normal().string(), sample.frame).second)
            once.push_back(std::move(sample));
        else
            out.skipped.push_back(sample.path.string() + ": listed twice");
    }
    out.samples = std::move(once);
}

}  // namespace

void ImportOptions::validate() const {
    if (frames < 0 || frames > 1024)
        throw Error("import", "expected frames from 0 to 1024, but got " + std::to_string(frames));
}

std::span<const Importer* const> importers() { return kImporters; }

const Importer& find_importer(std::string_view name) {
    std::string names;
    for (const Importer* importer : kImporters) {
        if (importer->name == name) return *importer;
        names += (names.empty() ? "" : ", ") + std::string(importer->name);
    }
    throw Error("import", "there is no data set " + in_quotes(name), "there are " + names);
}

Dataset import_dataset(const Importer& importer, const fs::path& source, const ImportOptions& options) {
    options.validate();
    ImportOptions full = options;
    full.protocol = protocol_of(importer, options.protocol);
    const fs::path root = fs::absolute(source).lexically_normal();
    Dataset out = importer.read(root, full);
    if (out.name.empty()) out.name = importer.name;
    leave_out_doubles(out);
    for (Sample& sample : out.samples) {
        if (sample.dataset.empty()) sample.dataset = out.name;
        if (full.protocol == "none") sample.split = Split::none;
    }
    if (out.samples.empty())
        throw Error(root.string(),
                    out.skipped.empty() ? "nothing was found that belongs to " + std::string(importer.title)
                                        : "nothing can be used; the first of " + std::to_string(out.skipped.size()) +
                                              " faults: " + out.skipped[0],
                    "expected " + std::string(importer.layout));
    return out;
}

}  // namespace liven::data
