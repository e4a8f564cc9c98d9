#include <iostream>

#include "cli.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/progress.hpp"
#include "liven/data/check.hpp"
#include "liven/data/near_duplicates.hpp"

namespace liven::cli {
namespace {

struct AuditArguments {
    std::string path, grid;
    int distance = 3;
};

std::string described(const data::Sample& s) {
    std::string out = s.path.string();
    if (s.frame >= 0) out += " frame " + std::to_string(s.frame);
    return out + " (" + std::string(data::name_of(s.label)) +
           (s.split == data::Split::none ? "" : ", " + std::string(data::name_of(s.split))) + ')';
}

data::ProgressCallback bar_of(std::unique_ptr<Progress>& bar, std::string title) {
    auto shown = std::make_shared<int64_t>(0);
    return [&bar, shown, title = std::move(title)](int64_t done, int64_t total) {
        if (!bar) bar = std::make_unique<Progress>(Progress::Options{.title = title, .total = total, .unit = "img"});
        bar->advance(done - *shown);
        *shown = done;
    };
}

void run_audit(const AuditArguments& asked) {
    constexpr size_t listed = 20;
    const data::Dataset set = data::open_dataset(asked.path);
    std::unique_ptr<Progress> reading, comparing;
    const data::CheckReport report =
        data::check(set, {.threads = thread_count(), .progress = bar_of(reading, "reading")});
    reading.reset();
    const data::NearDuplicates near = data::find_near_duplicates(
        set, {.distance = asked.distance, .threads = thread_count(), .progress = bar_of(comparing, "comparing")});
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

}  // namespace

void add_audit_command(CLI::App& app) {
    auto asked = std::make_shared<AuditArguments>();
    CLI::App* command = app.add_subcommand(
        "audit", "look for what flatters results: groups, equal files and look-alikes on two sides of a split");
    command->add_option("path", asked->path, "manifest or folder")->required();
    command->add_option("--grid", asked->grid, "draw the pairs that look alike into this .jpg or .png");
    command->add_option("--distance", asked->distance, "bits of 64 in which look-alikes may differ")
        ->check(CLI::Range(0, 3));
    command->footer("Example: liven audit faces --grid alike.jpg");
    command->callback([asked] { run_audit(*asked); });
}

}  // namespace liven::cli
