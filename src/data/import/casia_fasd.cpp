#include <map>

#include "liven/data/video.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"

/// CASIA-FASD, as its paper and the reader bob.db.casia_fasd describe it.
///
///     train_release/<1..20>/{1..8,HR_1..HR_4}.avi      test_release/<1..30>/...
///
/// 1, 2, HR_1 are bona fide; 3, 4, HR_2 warped photographs (print); 5, 6, HR_3 photographs with cut eyes (cut); 7, 8,
/// HR_4 videos (replay). Subject 1 of the training set is another person than subject 1 of the test set.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

Dataset read_casia_fasd(const fs::path& source, const ImportOptions& options) {
    const std::map<std::string, std::string> kinds{
        {"1", ""},    {"2", ""},    {"HR_1", ""},    {"3", "print"},  {"4", "print"},  {"HR_2", "print"},
        {"5", "cut"}, {"6", "cut"}, {"HR_3", "cut"}, {"7", "replay"}, {"8", "replay"}, {"HR_4", "replay"}};
    const Tree tree(source, kCasiaFasd.layout);
    Dataset out;
    std::vector<SourceRecording> recordings;
    for (const std::string part : {"train", "test"})
        for (const fs::path& subject : folders_in(tree.folder(part + "_release")))
            for (const fs::path& path : files_in(subject)) {
                if (!is_video(path)) continue;
                const auto kind = kinds.find(path.stem().string());
                if (kind == kinds.end()) {
                    out.skipped.push_back(path.string() + ": the name is none of 1 to 8 and HR_1 to HR_4");
                    continue;
                }
                SourceRecording r;
                r.known.path = path;
                r.known.label = kind->second.empty() ? Label::bonafide : Label::attack;
                r.known.subject = part + '-' + subject.filename().string();
                r.known.video = tree.name_of(path);
                r.known.attack_type = kind->second;
                r.known.split = *split_from(part);
                recordings.push_back(std::move(r));
            }
    add_recordings(recordings, options, out);
    return out;
}

}  // namespace

constinit const Importer kCasiaFasd{
    .name = "casia-fasd",
    .title = "CASIA-FASD",
    .citation = "Zhang, Yan, Liu, Lei, Yi, Li: A face antispoofing database with diverse attacks, ICB 2012",
    .layout = "{train,test}_release/<subject>/{1..8,HR_1..HR_4}.avi",
    .protocols = "official",
    .read = read_casia_fasd};

}  // namespace liven::data
