#include "liven/core/error.hpp"
#include "liven/data/folder.hpp"
#include "liven/data/video.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// Trees whose folders name the classes (liven/data/folder.hpp), among them the one of AttackNet's authors:
/// <set>/images/{attack,bonafide}_{training,validation}/<video>_<frame>.png (Kuznetsov et al. 2026).
namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// Pictures stay as they are, video files become their sampled frames.
Dataset read_class_folders(const fs::path& source, const ImportOptions& options) {
    const Dataset found = read_folder(source);
    Dataset out{.name = found.name, .samples = {}, .skipped = found.skipped, .warnings = found.warnings};
    std::vector<SourceRecording> recordings;
    for (const Sample& sample : found.samples) {
        if (is_video(sample.path))
            recordings.push_back({.known = sample, .faces = {}, .read_faces = nullptr});
        else
            out.samples.push_back(sample);
    }
    add_recordings(recordings, options, out);
    const auto given = out.size() - out.count(Split::none);
    if (given > 0 && given < out.size()) {
        for (Sample& sample : out.samples) sample.split = Split::none;
        out.warnings.emplace_back("only some folders name a split: all splits are left out");
    }
    return out;
}

Dataset read_authors_layout(const fs::path& source, const ImportOptions& options) {
    const Tree tree(source, kAuthorsLayout.layout);
    std::vector<fs::path> sets{tree.root()};
    for (const fs::path& set : folders_in(tree.root())) sets.push_back(set);
    bool any = false;
    for (const fs::path& set : sets) {
        const Tree below(set, kAuthorsLayout.layout);
        if (!below.has("images")) continue;
        const Tree images(below.folder("images"), kAuthorsLayout.layout);
        for (const char* name : {"attack_training", "attack_validation", "bonafide_training", "bonafide_validation"})
            images.folder(name);
        any = true;
    }
    if (!any) tree.misfit("expected a folder images, or folders that have one");
    return read_class_folders(source, options);
}

}  // namespace

constinit const Importer kClassFolders{
    .name = "folders",
    .title = "Class folders",
    .citation = "any tree of your own (docs/data.md)",
    .layout = "bonafide|real|live|genuine/ against attack|spoof|fake|imposter/, subjects and videos below",
    .protocols = "folders",
    .read = read_class_folders};

constinit const Importer kAuthorsLayout{.name = "attacknet",
                                        .title = "AttackNet authors",
                                        .citation = "Kuznetsov et al. 2026: the layout of the published code",
                                        .layout = "[<set>/]images/{attack,bonafide}_{training,validation}/*.png",
                                        .protocols = "folders",
                                        .read = read_authors_layout};

}  // namespace liven::data
