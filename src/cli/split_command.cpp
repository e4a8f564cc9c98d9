#include <filesystem>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/data/folds.hpp"
#include "liven/data/manifest.hpp"

namespace liven::cli {
namespace {

namespace fs = std::filesystem;

struct SplitArguments {
    std::string source, out, by = "automatic", leave_out;
    int64_t folds = 0;
    data::SplitOptions options{};
};

void write_divided(const data::Dataset& set, const fs::path& path) {
    std::error_code code;
    fs::create_directories(path.parent_path(), code);
    data::write_manifest(set, path);
    std::string line = path.string() + ':';
    for (auto split : {data::Split::train, data::Split::val, data::Split::test}) {
        const data::Dataset part = set.only(split);
        line += ' ' + std::string(data::name_of(split)) + ' ' + std::to_string(part.size()) + " (" +
                std::to_string(part.count(data::Label::bonafide)) + " bona fide)" +
                (split == data::Split::test ? "" : ",");
    }
    print(line);
}

std::string name_without(const std::string& stem, const std::string& type) {
    std::string name = type.empty() ? "unnamed" : type;
    for (char& c : name)
        if (c == '/') c = '-';
    return stem + "-without-" + name + ".csv";
}

/// The set as it is divided, or once for each attack that is left out: "all", or one type.
void write_left_out(const data::Dataset& set, const std::string& leave_out, const fs::path& folder,
                    const std::string& stem) {
    if (leave_out.empty()) return write_divided(set, folder / (stem + ".csv"));
    const std::vector<std::string> types =
        leave_out == "all" ? data::attack_types(set) : std::vector<std::string>{leave_out};
    for (const std::string& type : types)
        write_divided(data::leave_attack_out(set, type), folder / name_without(stem, type));
}

void run_split(const SplitArguments& asked) {
    data::SplitOptions options = asked.options;
    options.group_by = data::group_by_from(asked.by);
    data::Dataset set = data::open_dataset(asked.source);
    const fs::path out = fs::absolute(asked.out).lexically_normal();
    const bool file = out.extension() == ".csv";
    const fs::path folder = file ? out.parent_path() : out;
    const std::string stem = file ? out.stem().string() : "manifest";
    if (asked.folds > 0) {
        const std::vector<int64_t> folds = data::draw_folds(set, asked.folds, options);
        for (int64_t fold = 0; fold < asked.folds; ++fold) {
            data::test_on_fold(set, folds, fold, options);
            write_left_out(set, asked.leave_out, folder, stem + "-fold" + std::to_string(fold + 1));
        }
        return;
    }
    for (data::Sample& sample : set.samples) sample.split = data::Split::none;
    const data::SplitRecord record = data::assign_splits(set, options);
    write_left_out(set, asked.leave_out, folder, stem);
    for (const std::string& warning : record.warnings) print("warning: " + warning);
}

}  // namespace

void add_split_command(CLI::App& data) {
    auto asked = std::make_shared<SplitArguments>();
    CLI::App* command = data.add_subcommand("split",
                                            "divide a set anew by subject or video, into folds, or with an "
                                            "attack left to the test set");
    command->add_option("source", asked->source, "manifest or folder; splits it names are dropped")->required();
    command->add_option("out", asked->out, "folder for manifest.csv, or a .csv file; folds and attacks add to the name")
        ->required();
    command->add_option("--by", asked->by, "automatic, subject, video or image: what stays on one side");
    command->add_option("--test-share", asked->options.test, "of all samples");
    command->add_option("--validation-share", asked->options.validation, "of what the test set leaves");
    command->add_option("--folds", asked->folds, "as many manifests, each with another part for testing")
        ->check(CLI::Range(2, 1000));
    command->add_option("--leave-out", asked->leave_out,
                        "an attack type, or all: only tested, the others only trained");
    command->add_option("--seed", asked->options.seed, "the same seed divides the same way");
    command->add_option("--allow-leak", asked->options.allow_leak, "a reason to divide although groups are torn apart");
    command->footer("Example: liven data split nuaa nuaa-folds --folds 5");
    command->callback([asked] { run_split(*asked); });
}

}  // namespace liven::cli
