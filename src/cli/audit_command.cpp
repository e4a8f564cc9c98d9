#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/progress.hpp"
#include "liven/data/check.hpp"
#include "liven/data/near_duplicates.hpp"
#include "liven/protocol/leak.hpp"
#include "liven/train/recipe.hpp"
#include "liven/train/trainer.hpp"

namespace liven::cli {
namespace {

struct AuditArguments {
    std::string path, grid, model = "livenessnet", out;
    int distance = 3;
    bool measure = false;
    int64_t size = 64, epochs = 10, repeats = 1;
};

std::string described(const data::Sample& s) {
    std::string out = s.path.string();
    if (s.frame >= 0) out += " frame " + std::to_string(s.frame);
    return out + " (" + std::string(data::name_of(s.label)) +
           (s.split == data::Split::none ? "" : ", " + std::string(data::name_of(s.split))) + ')';
}

void run_audit(const AuditArguments& asked) {
    constexpr size_t listed = 20;
    if (!asked.grid.empty()) require_target(asked.grid, kPictureEndings);
    const data::Dataset set = data::open_dataset(asked.path);
    std::unique_ptr<Progress> reading, comparing;
    const data::CheckReport report =
        data::check(set, {.threads = thread_count(), .progress = image_bar(reading, "reading")});
    reading.reset();
    const data::NearDuplicates near = data::find_near_duplicates(
        set, {.distance = asked.distance, .threads = thread_count(), .progress = image_bar(comparing, "comparing")});
    comparing.reset();
    std::cout << report << "look alike across splits or classes  " << near.pairs.size() << " pairs among "
              << near.compared << " pictures (" << near.flat << " too even to compare, " << near.unreadable.size()
              << " unreadable)\n";
    for (size_t i = 0; i < std::min(near.pairs.size(), listed); ++i)
        std::cout << "  " << i + 1 << "  " << near.pairs[i].distance << " bits  "
                  << described(set.samples[near.pairs[i].first]) << "  " << described(set.samples[near.pairs[i].second])
                  << '\n';
    if (near.pairs.size() > listed) std::cout << "  and " << near.pairs.size() - listed << " more\n";
    if (asked.grid.empty() || near.pairs.empty()) return;
    data::write(data::grid_of_pairs(set, near.pairs), asked.grid);
    print("the first pairs, four a row: " + asked.grid);
}

/// A folder that goes when the measurement is over, where none was given.
class MeasureFolder {
public:
    explicit MeasureFolder(const std::string& given) : path_(given), temporary_(given.empty()) {
        if (!temporary_) return;
        std::string name = (std::filesystem::temp_directory_path() / "liven-audit-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw Error(name, "no temporary folder can be made", "give one by --out");
        path_ = name;
    }
    MeasureFolder(const MeasureFolder&) = delete;
    MeasureFolder& operator=(const MeasureFolder&) = delete;
    ~MeasureFolder() {
        std::error_code ignored;
        if (temporary_) std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
    bool temporary_;
};

int run_measure(const AuditArguments& asked) {
    protocol::LeakOptions options{.training = settings_of(asked.model), .repeats = asked.repeats};
    options.training.data = asked.path;
    options.training.size = asked.size;
    options.training.epochs = asked.epochs;
    const MeasureFolder folder(asked.out);
    stop_trainings_on_signals();
    try {
        print(protocol::leak_table(measure_leak(options, folder.path())));
        return 0;
    } catch (const Interrupted&) {
        std::cerr << (asked.out.empty() ? "stopped; with --out what is finished would be kept\n"
                                        : "stopped; the same command goes on where it was\n");
        return 130;
    }
}

}  // namespace

void add_audit_command(CLI::App& app) {
    auto asked = std::make_shared<AuditArguments>();
    CLI::App* command = app.add_subcommand(
        "audit", "look for what flatters results: groups, equal files and look-alikes on two sides of a split");
    command->add_option("path", asked->path, "manifest or folder")->required();
    command->add_option("--grid", asked->grid, "draw the pairs that look alike into this .jpg or .png");
    command->add_option("--distance", asked->distance, "bits of 64 in which look-alikes may differ")
        ->check(CLI::Range(0, 3));
    auto* measure = command->add_flag(
        "--measure", asked->measure,
        "train a small model on the pictures divided by image and by group: how much a leaking split flatters");
    command->add_option("--model", asked->model, "that is trained")->needs(measure);
    command->add_option("--size", asked->size, "pixels a side")->check(CLI::Range(8, 4096))->needs(measure);
    command->add_option("--epochs", asked->epochs, "of each training")->check(CLI::Range(1, 100000))->needs(measure);
    command->add_option("--repeats", asked->repeats, "with other seeds")->check(CLI::Range(1, 1000))->needs(measure);
    command->add_option("--out", asked->out, "folder that keeps the trainings; by default they go")->needs(measure);
    command->footer("Example: liven audit faces --grid alike.jpg --measure");
    command->callback([asked] {
        run_audit(*asked);
        if (!asked->measure) return;
        if (const int status = run_measure(*asked)) throw CLI::RuntimeError(status);
    });
}

}  // namespace liven::cli
