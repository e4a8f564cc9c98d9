#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "cli.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/progress.hpp"
#include "liven/data/import.hpp"
#include "liven/data/manifest.hpp"
#include "src/core/writing.hpp"

namespace liven::cli {
namespace {

namespace fs = std::filesystem;

/// "name  title  layout" of every importer, one a block.
void print_importers() {
    for (const data::Importer* importer : data::importers()) {
        std::string name(importer->name);
        name.resize(std::max<size_t>(name.size() + 2, 16), ' ');
        std::cout << name << importer->title << "\n                expects " << importer->layout << '\n';
        if (!importer->protocols.empty()) std::cout << "                protocols " << importer->protocols << '\n';
        std::cout << "                " << importer->citation << '\n';
    }
}

std::string counted(const std::map<std::string, int64_t>& counts) {
    std::string out;
    for (const auto& [name, count] : counts)
        out += (out.empty() ? "" : ", ") + (name.empty() ? "none" : name) + ' ' + std::to_string(count);
    return out;
}

void print_lines(const char* what, const std::vector<std::string>& lines) {
    constexpr size_t shown = 10;
    if (lines.empty()) return;
    std::cout << what << "  " << lines.size() << '\n';
    for (size_t i = 0; i < std::min(lines.size(), shown); ++i) std::cout << "  " << lines[i] << '\n';
    if (lines.size() > shown) std::cout << "  and " << lines.size() - shown << " more\n";
}

void print_summary(const data::Dataset& set, const fs::path& manifest) {
    std::map<std::string, int64_t> splits, attacks;
    std::set<std::string> subjects, videos;
    int64_t boxes = 0, depths = 0;
    for (const data::Sample& s : set.samples) {
        ++splits[std::string(data::name_of(s.split))];
        if (s.label == data::Label::attack) ++attacks[s.attack_type];
        if (!s.subject.empty()) subjects.insert(s.subject);
        if (!s.video.empty()) videos.insert(s.video);
        boxes += s.box.has_value();
        depths += !s.depth_path.empty();
    }
    std::cout << manifest.string() << ": " << set.size() << " rows, " << set.count(data::Label::bonafide)
              << " bona fide, " << set.count(data::Label::attack) << " attacks\n";
    std::cout << "subjects  " << subjects.size() << ", videos " << videos.size() << ", rows with a face box " << boxes
              << ", with depth " << depths << '\n';
    std::cout << "splits    " << counted(splits) << '\n';
    if (!attacks.empty()) std::cout << "attacks   " << counted(attacks) << '\n';
    print_lines("warnings", set.warnings);
    print_lines("skipped ", set.skipped);
}

struct ImportArguments {
    std::string name, source, out;
    bool list = false;
    data::ImportOptions options{};
};

void run_import(const ImportArguments& asked) {
    if (asked.list) return print_importers();
    if (asked.name.empty() || asked.source.empty() || asked.out.empty())
        throw Error("data import", "expected NAME SOURCE OUT", "liven data import --list shows the names");
    const data::Importer& importer = data::find_importer(asked.name);
    const fs::path out(asked.out);
    const fs::path manifest = fs::absolute(out.extension() == ".csv" ? out : out / "manifest.csv").lexically_normal();
    data::ImportOptions options = asked.options;
    options.output = manifest.parent_path();
    options.threads = thread_count();
    std::unique_ptr<Progress> bar;
    int64_t shown = 0;
    options.progress = [&](int64_t done, int64_t total) {
        if (!bar)
            bar = std::make_unique<Progress>(
                Progress::Options{.title = "reading " + asked.name, .total = total, .unit = "rec"});
        bar->advance(done - shown);
        shown = done;
    };
    const data::Dataset set = data::import_dataset(importer, asked.source, options);
    bar.reset();
    make_folders(manifest.parent_path());
    data::write_manifest(set, manifest);
    print_summary(set, manifest);
}

}  // namespace

void add_import_command(CLI::App& data) {
    auto asked = std::make_shared<ImportArguments>();
    CLI::App* command =
        data.add_subcommand("import", "read a published data set as its authors give it out, and write a manifest");
    command->add_option("name", asked->name, "the data set; --list shows which there are");
    command->add_option("source", asked->source, "the folder it was unpacked into");
    command->add_option("out", asked->out, "folder for manifest.csv (and frames out of HDF5), or a .csv file");
    command->add_flag("--list", asked->list, "the data sets, the layout each is expected in, and its protocols");
    command->add_option("--protocol", asked->options.protocol, "the first of --list, or none to leave splits out");
    command
        ->add_option("--frames", asked->options.frames,
                     "of each recording, evenly between 15 % and 85 %; 0: whole videos, for clips")
        ->check(CLI::Range(0, 1024));
    command->add_flag("--verify", asked->options.verify, "decode what is listed; videos that end early are left out");
    command->footer("Example: liven data import nuaa NUAA/raw nuaa");
    command->callback([asked] { run_import(*asked); });
}

}  // namespace liven::cli
