#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"
#include "src/data/names.hpp"

/// Multispectral-Spoof: https://www.idiap.ch/dataset/msspoof; its reader bob.db.multispectral_spoof says how files are
/// named. They are found in any folder below SOURCE.
///
///     real     <client>_<0 visible, 1 near infrared>_<..>_<condition>_<..>.pgm
///     attack   <client>_<print 1-3>_<vs|ir>_<vs|ir>_<condition>_<..>.pgm     what was printed, then how it was taken
///
/// 21 clients: 9 for training, 6 for validation, 6 for testing. Which is which stands in folders named train, dev and
/// test, or nowhere; then no split is written. Pictures for enrolment are left out. `--protocol visible` takes what was
/// recorded in visible light.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// What the name says of client, class and spectra; false when it is none.
bool tell_msspoof_name(const std::vector<std::string>& words, Sample& s) {
    if (words.size() < 4 || whole_number(words[0]) < 0) return false;
    s.subject = words[0];
    const auto spectrum = [](const std::string& word) { return word == "vs" || word == "ir"; };
    if (spectrum(words[2]) && spectrum(words[3])) {
        s.label = Label::attack;
        s.attack_type = "print-" + words[2];
        s.modality = words[3] == "vs" ? "visible" : "infrared";
        return true;
    }
    if (words[1] != "0" && words[1] != "1") return false;
    s.label = Label::bonafide;
    s.modality = words[1] == "0" ? "visible" : "infrared";
    return true;
}

Split split_in(const fs::path& folders) {
    for (const fs::path& part : folders)
        if (const auto split = split_from(part.string())) return *split;
    return Split::none;
}

Dataset read_msspoof(const fs::path& source, const ImportOptions& options) {
    const Tree tree(source, kMsSpoof.layout);
    Dataset out;
    int64_t divided = 0, enrolment = 0;
    for (const fs::path& path : files_below(tree.root())) {
        if (!has_image_ending(path)) continue;
        const std::string name = tree.name_of(path);
        if (name.find("enrol") != std::string::npos) {
            ++enrolment;
            continue;
        }
        Sample s;
        if (!tell_msspoof_name(parts_of(path.stem().string(), "_"), s)) {
            out.skipped.push_back(path.string() +
                                  ": the name is neither <client>_<0|1>_... nor "
                                  "<client>_<print>_<vs|ir>_<vs|ir>_...");
            continue;
        }
        if (options.protocol == "visible" && s.modality != "visible") continue;
        s.path = path;
        s.split = split_in(fs::path(name).parent_path());
        divided += s.split != Split::none;
        out.samples.push_back(std::move(s));
    }
    warn_of(out, enrolment, "pictures for enrolment are left out");
    if (divided < out.size()) {
        for (Sample& s : out.samples) s.split = Split::none;
        out.warnings.emplace_back(
            "no folder says which clients are for training, validation and testing: no split is "
            "written; divide by subject");
    }
    return out;
}

}  // namespace

constinit const Importer kMsSpoof{
    .name = "msspoof",
    .title = "MSSpoof",
    .citation =
        "Chingovska, Erdogmus, Anjos, Marcel: Face recognition systems under spoofing attacks, in Face "
        "recognition across the imaging spectrum, Springer 2015",
    .layout = "<client>_<0|1>_... and <client>_<print>_<vs|ir>_<vs|ir>_... .pgm, in any folder",
    .protocols = "all visible",
    .read = read_msspoof};

}  // namespace liven::data
