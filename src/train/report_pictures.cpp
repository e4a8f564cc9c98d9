#include "liven/io/file.hpp"
#include "report_parts.hpp"
#include "run_folder.hpp"

namespace liven::reporting {
namespace {

void add_picture(report::Page& page, const std::filesystem::path& path, const std::string& caption) {
    if (!std::filesystem::exists(path)) return;
    const std::string bytes = read_text_file(path);
    page.picture({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, caption);
}

}  // namespace

void add_pictures(report::Page& page, Runs runs) {
    page.section("Faces");
    for (const RunEvidence& run : runs) {
        add_picture(
            page, RunFolder(run.folder).faces(),
            run.name +
                ": bona fide faces above, attacks below, with their scores; framed in red is what was decided wrongly");
        add_picture(page, RunFolder(run.folder).cues(),
                    run.name + ": faces and what the network finds wrong with them");
    }
}

void add_errors(report::Page& page, Runs runs) {
    page.section("Errors");
    for (const RunEvidence& run : runs) {
        const ErrorGallery& errors = run.pictures.errors;
        const std::string counts = run.name + ": " + std::to_string(errors.accepted_attacks) + " attacks accepted, " +
                                   std::to_string(errors.rejected_bonafide) + " bona fide rejected";
        if (errors.picture.empty())
            page.text(counts + ".");
        else
            page.picture(data::encode_jpeg(errors.picture, 85),
                         counts + "; the worst of each kind, worst first, attacks above");
    }
}

void add_explanations(report::Page& page, Runs runs) {
    page.section("Explanations");
    page.text(
        "Where the network sees what it decides by: Grad-CAM of its last convolutional map, and the guided gradient "
        "with respect to the picture, both for the class decided on. Of each class the sample judged worst, a "
        "middling one and the one judged best. The brighter, the more a place speaks for the decision; this "
        "shows what moves this model, not what makes a face live.");
    page.beside([&] {
        for (const RunEvidence& run : runs)
            if (!run.pictures.explained.empty())
                page.picture(data::encode_jpeg(run.pictures.explained, 85),
                             run.name + ": bona fide above, attacks below; left the picture with score and threshold");
    });
    for (const RunEvidence& run : runs)
        if (run.pictures.explained.empty()) page.text(run.name + ": none, for " + run.pictures.unexplained);
}

void add_feature_maps(report::Page& page, Runs runs) {
    page.section("How samples lie");
    page.text(
        "The judged samples by what goes into the network's last step; near each other is alike. Separability is the "
        "mean silhouette of the two classes in all features, from -1 to 1.");
    std::vector<std::string> charts;
    report::Table table{.columns = {"run", "features", "samples", "separability", "drawn by"}, .rows = {}};
    for (const RunEvidence& run : runs) {
        const FeatureMap& map = run.pictures.map;
        if (!run.pictures.unmapped.empty()) {
            page.text(run.name + ": none, for " + run.pictures.unmapped);
            continue;
        }
        charts.push_back(svg(chart_of(map, PointsBy::attack_type, run.name)));
        table.rows.push_back({run.name, map.of.what, std::to_string(map.of.rows.rows), map.separability.str(3),
                              map.tsne ? "t-SNE, whose axes have no meaning" : "the first two principal components"});
    }
    if (charts.empty()) return;
    page.figures(charts);
    page.table(table);
}

}  // namespace liven::reporting
