#include <iostream>

#include "cli.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/progress.hpp"
#include "liven/data/check.hpp"
#include "liven/data/synthesize.hpp"

namespace liven::cli {
namespace {

/// A bar that follows (done, total).
class Bar {
public:
    explicit Bar(std::string title) : title_(std::move(title)) {}
    void operator()(int64_t done, int64_t total) {
        if (!bar_) bar_ = std::make_shared<Progress>(Progress::Options{.title = title_, .total = total, .unit = "img"});
        bar_->advance(done - shown_);
        shown_ = done;
    }

private:
    std::string title_;
    std::shared_ptr<Progress> bar_;
    int64_t shown_ = 0;
};

void add_synth(CLI::App& data) {
    struct Options {
        std::string out, difficulty = "mixed";
        data::SynthesisOptions set;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command =
        data.add_subcommand("synth", "draw a set of synthetic faces and attacks (it proves nothing about people)");
    command->add_option("out", options->out, "folder for pictures and manifest.csv")->required();
    command->add_option("--subjects", options->set.subjects, "people")->check(CLI::Range(3, 100000));
    command->add_option("--bonafide-videos", options->set.bonafide_videos, "videos of each person")
        ->check(CLI::Range(1, 1000));
    command->add_option("--attack-videos", options->set.attack_videos, "attacks on each person")
        ->check(CLI::Range(1, 1000));
    command->add_option("--frames", options->set.frames, "pictures a video")->check(CLI::Range(1, 1000));
    command->add_option("--size", options->set.size, "pixels a side")->check(CLI::Range(32, 1024));
    command->add_option("--seed", options->set.seed, "the same seed draws the same set");
    command->add_option("--difficulty", options->difficulty, "easy, medium, hard or mixed");
    command->add_flag("--moving", options->set.moving,
                      "frames follow each other as in a video, else each is by itself");
    command->add_flag("--video", options->set.video, "an AVI file a video instead of pictures; they move");
    command->add_flag("--png", options->set.png, "PNG instead of JPEG");
    command->add_flag("--overwrite", options->set.overwrite, "replace another set in the folder");
    command->footer("Example: liven data synth faces --subjects 40 --seed 1");
    command->callback([options] {
        options->set.difficulty = data::difficulty_from(options->difficulty);
        options->set.threads = thread_count();
        options->set.progress = Bar("drawing");
        const data::Dataset set = data::synthesize(options->out, options->set);
        print(options->out + ": " + std::to_string(set.size()) + (options->set.video ? " videos, " : " pictures, ") +
              std::to_string(set.count(data::Label::bonafide)) + " bona fide, " +
              std::to_string(set.count(data::Label::attack)) + " attacks; train " +
              std::to_string(set.count(data::Split::train)) + ", val " + std::to_string(set.count(data::Split::val)) +
              ", test " + std::to_string(set.count(data::Split::test)));
    });
}

void add_check(CLI::App& data) {
    struct Options {
        std::string path;
        bool json = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = data.add_subcommand(
        "check", "count classes, subjects, attack types and splits; find unreadable files, duplicates and leaks");
    command->add_option("path", options->path, "manifest or folder")->required();
    command->add_flag("--json", options->json, "one JSON object");
    command->footer("Example: liven data check faces");
    command->callback([options] {
        const data::Dataset set = data::open_dataset(options->path);
        const data::CheckReport report = data::check(set, {.threads = thread_count(), .progress = Bar("reading")});
        if (options->json)
            print(report.to_json());
        else
            std::cout << report;
    });
}

}  // namespace

void add_data_command(CLI::App& app) {
    CLI::App* command = app.add_subcommand("data", "import, make, prepare, divide and check image sets");
    command->require_subcommand(1);
    command->footer("Example: liven data check faces");
    add_synth(*command);
    add_check(*command);
    add_import_command(*command);
    add_split_command(*command);
    add_prepare_command(*command);
    add_augment_command(*command);
}

}  // namespace liven::cli
