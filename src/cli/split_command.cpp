#include <filesystem>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/assign_sources.hpp"
#include "liven/data/folds.hpp"
#include "liven/data/manifest.hpp"
#include "liven/io/config.hpp"
#include "liven/train/source_table.hpp"
#include "src/core/writing.hpp"

namespace liven::cli {
namespace {

namespace fs = std::filesystem;

struct SplitArguments {
    std::vector<std::string> paths;
    std::string source, out, by = "automatic", leave_out, config;
    int64_t folds = 0;
    data::SplitOptions options{};
};

void write_divided(const data::Dataset& set, const fs::path& path) {
    make_folders(path.parent_path());
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

/// Different types have different names: a slash is written as in addresses, and so is the first letter of a type that
/// is called as those without one are.
std::string name_without(const std::string& stem, const std::string& type) {
    const std::string untyped = "unnamed";
    if (type == untyped) return stem + "-without-%75nnamed.csv";
    std::string name;
    for (const char c : type.empty() ? untyped : type) {
        if (c == '/')
            name += "%2F";
        else if (c == '%')
            name += "%25";
        else
            name += c;
    }
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

/// Paths start from the file.
data::Dataset assigned_sources(const fs::path& file) {
    const SourceTable table = SourceTable::read(Config::read(file), file.string());
    std::map<std::string, data::Dataset> sources;
    for (const auto& [name, path] : table.paths) sources[name] = data::open_dataset(file.parent_path() / path);
    return data::assign_sources(sources, table.assignment);
}

/// A set whose sources are assigned to splits whole: nothing is drawn, but leaks are looked for.
void write_assigned(const SplitArguments& asked, const data::SplitOptions& options, const fs::path& folder,
                    const std::string& stem) {
    data::Dataset set = assigned_sources(asked.config);
    const data::SplitRecord record = data::assign_splits(set, options);
    write_left_out(set, asked.leave_out, folder, stem);
    for (const std::string& warning : set.warnings) log_warning(warning);
    for (const std::string& warning : record.warnings) log_warning(warning);
}

void read_paths(const CLI::App& command, SplitArguments& asked) {
    const size_t wanted = asked.config.empty() ? 2 : 1;
    if (asked.paths.size() != wanted)
        throw Error("data split", wanted == 2 ? "expected SOURCE OUT" : "expected OUT alone beside --config");
    if (!asked.config.empty() && (asked.folds > 0 || asked.by != "automatic"))
        throw Error("data split", "--config says what every sample is; folds and groups are drawn from a set");
    if (command.count("--test-share") && (!asked.config.empty() || asked.folds > 0))
        throw Error("--test-share", asked.folds > 0 ? "of N folds one N-th is for testing"
                                                    : "--config says what every sample is, so no share is drawn");
    asked.source = wanted == 2 ? asked.paths[0] : "";
    asked.out = asked.paths.back();
}

void run_split(const CLI::App& command, SplitArguments& asked) {
    read_paths(command, asked);
    data::SplitOptions options = asked.options;
    options.group_by = data::group_by_from(asked.by);
    const fs::path out = fs::absolute(asked.out).lexically_normal();
    const bool file = out.extension() == ".csv";
    const fs::path folder = file ? out.parent_path() : out;
    const std::string stem = file ? out.stem().string() : "manifest";
    if (!asked.config.empty()) return write_assigned(asked, options, folder, stem);
    data::Dataset set = data::open_dataset(asked.source);
    if (asked.folds > 0) {
        const std::vector<int64_t> folds = data::draw_folds(set, asked.folds, options);
        for (int64_t fold = 0; fold < asked.folds; ++fold) {
            const data::SplitRecord record = data::test_on_fold(set, folds, fold, options);
            const std::string name = stem + "-fold" + std::to_string(fold + 1);
            write_left_out(set, asked.leave_out, folder, name);
            for (const std::string& warning : record.warnings)
                log_warning(std::string(name).append(": ").append(warning));
        }
        return;
    }
    for (data::Sample& sample : set.samples) sample.split = data::Split::none;
    const data::SplitRecord record = data::assign_splits(set, options);
    write_left_out(set, asked.leave_out, folder, stem);
    for (const std::string& warning : record.warnings) log_warning(warning);
}

}  // namespace

void add_split_command(CLI::App& data) {
    auto asked = std::make_shared<SplitArguments>();
    CLI::App* command = data.add_subcommand("split",
                                            "divide a set anew by subject or video, into folds, or with an "
                                            "attack left to the test set");
    command
        ->add_option("paths", asked->paths,
                     "SOURCE, a manifest or folder whose splits are dropped, and OUT, a folder for manifest.csv or a "
                     ".csv file; folds and attacks add to the name")
        ->required()
        ->expected(1, 2);
    command->add_option("--config", asked->config,
                        "a TOML file that assigns whole sources to splits, in place of SOURCE");
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
    command->callback([command, asked] { run_split(*command, *asked); });
}

}  // namespace liven::cli
