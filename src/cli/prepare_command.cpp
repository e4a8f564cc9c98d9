#include <charconv>
#include <filesystem>
#include <iostream>

#include "cli.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/progress.hpp"
#include "liven/data/prepare.hpp"
#include "liven/io/file.hpp"
#include "liven/report/preparation.hpp"

namespace liven::cli {
namespace {

namespace fs = std::filesystem;

struct PrepareArguments {
    std::vector<std::string> sources;
    std::string out, faces = "none", model, config, size = "256", filter = "lanczos", enhance = "none", format = "png";
    double quality = -1;
    float score = 0.6f;
    bool no_judge = false, no_gates = false, no_report = false, dry_run = false;
    data::PrepareOptions options{};
};

/// "256", "320x240", or "none" for 0 x 0.
void read_size(const std::string& text, int& width, int& height) {
    const char *begin = text.data(), *end = text.data() + text.size();
    width = height = 0;
    if (text == "none") return;
    auto [at, status] = std::from_chars(begin, end, width);
    height = width;
    if (status == std::errc() && at != end && *at == 'x') {
        const auto second = std::from_chars(at + 1, end, height);
        at = second.ptr;
        status = second.ec;
    }
    if (status != std::errc() || at != end || width < 1 || height < 1)
        throw Error("--size", "expected pixels like 256 or 320x240, or none, got '" + text + "'");
}

void read_faces(const PrepareArguments& asked, data::PrepareOptions& options) {
    if (asked.faces == "none" || asked.faces == "boxes") {
        options.faces = asked.faces == "none" ? data::FaceSource::none : data::FaceSource::boxes;
        return;
    }
    options.faces = data::FaceSource::detector;
    options.detector = {
        .kind = data::detector_from(asked.faces), .model = asked.model, .config = asked.config, .score = asked.score};
}

/// What would do nothing is a slip.
void refuse_unused(const CLI::App& command, const PrepareArguments& asked) {
    const bool detected = asked.faces != "none" && asked.faces != "boxes";
    for (const char* option : {"--detector-model", "--detector-config", "--detector-score"})
        if (!detected && command.count(option))
            throw Error(option, "no detector looks for faces: --faces is " + asked.faces,
                        "add --faces yunet, res10 or haar");
    if (asked.format != "jpg" && command.count("--jpeg-quality"))
        throw Error("--jpeg-quality", "the pictures are written as " + asked.format, "add --format jpg");
}

data::PrepareOptions options_of(const PrepareArguments& asked) {
    data::PrepareOptions options = asked.options;
    options.output = asked.out;
    read_size(asked.size, options.width, options.height);
    read_faces(asked, options);
    options.interpolation = data::interpolation_from(asked.filter);
    options.judge = !asked.no_judge;
    options.gates = !asked.no_gates;
    if (asked.quality >= 0) options.least_quality = asked.quality;
    if (asked.enhance != "none") {
        options.pictures = asked.enhance == "video" ? data::Enhancement::video : data::Enhancement::photo;
        options.video_frames = asked.enhance == "photo" ? data::Enhancement::photo : data::Enhancement::video;
    }
    options.jpeg = asked.format == "jpg";
    options.threads = thread_count();
    return options;
}

void refuse_own_source(const PrepareArguments& asked) {
    const fs::path out = fs::absolute(asked.out).lexically_normal() / "manifest.csv";
    for (const std::string& source : asked.sources) {
        std::error_code code;
        const fs::path manifest = fs::is_directory(source, code) ? fs::path(source) / "manifest.csv" : fs::path(source);
        if (fs::exists(out, code) && fs::equivalent(manifest, out, code))
            throw Error("data prepare", "the result would replace its source " + source, "take another folder");
    }
}

void run_prepare(const PrepareArguments& asked) {
    data::PrepareOptions options = options_of(asked);
    refuse_own_source(asked);
    std::vector<data::Dataset> sets;
    for (const std::string& source : asked.sources) sets.push_back(data::open_dataset(source));
    const data::Dataset set = data::merged(std::move(sets));
    if (asked.dry_run) {
        std::cout << data::plan_preparation(set, options);
        return;
    }
    std::unique_ptr<Progress> judging, writing;
    options.judging = image_bar(judging, "judging");
    options.progress = [&judging, bar = image_bar(writing, "preparing")](int64_t done, int64_t total) {
        judging.reset();
        bar(done, total);
    };
    const fs::path page = fs::path(asked.out) / "report.html";
    if (!asked.no_report)
        options.before_manifest = [&](const data::PreparationReport& report) {
            write_file_atomically(page, report::preparation_page(report));
        };
    const data::PreparationReport report = data::prepare(set, options);
    judging.reset();
    writing.reset();
    if (report.found_finished) return print(report.manifest.string() + ": is there already, from the same data");
    std::cout << report;
    print(report.manifest.string() + ": " + std::to_string(report.written) + " pictures" +
          (asked.no_report ? "" : "; report " + page.string()));
}

void add_face_options(CLI::App& command, const std::shared_ptr<PrepareArguments>& asked) {
    command.add_option("--faces", asked->faces, "what is cut out: none, boxes of the manifest, or found by a detector")
        ->check(CLI::IsMember({"none", "boxes", "yunet", "res10", "haar"}));
    command.add_option("--detector-model", asked->model, "the detector's file; haar has one of Debian's opencv-data");
    command.add_option("--detector-config", asked->config, "res10: its .prototxt or .pbtxt");
    command.add_option("--detector-score", asked->score, "faces of less are left out")->check(CLI::Range(0.0, 1.0));
    command.add_option("--margin", asked->options.margin, "the box grown about its middle: 2 doubles both sides");
    command.add_flag("--align", asked->options.align, "turn and scale by the eyes, or five landmarks");
}

void add_picture_options(CLI::App& command, const std::shared_ptr<PrepareArguments>& asked) {
    command.add_option("--size", asked->size, "pixels like 256 or 320x240, or none");
    command.add_option("--filter", asked->filter, "lanczos, bilinear or area");
    command.add_option("--quality", asked->quality, "faces of less are left out; the published threshold is 0.65")
        ->check(CLI::Range(0.0, 1.0));
    command.add_flag("--no-gates", asked->no_gates, "by the quality alone, not by its gates for light and blur");
    command.add_flag("--no-judge", asked->no_judge, "no quality at all");
    command.add_option("--enhance", asked->enhance, "none, photo, video, or auto: by where a picture comes from")
        ->check(CLI::IsMember({"none", "photo", "video", "auto"}));
    command.add_option("--format", asked->format, "png or jpg")->check(CLI::IsMember({"png", "jpg"}));
    command.add_option("--jpeg-quality", asked->options.jpeg_quality, "1 to 100")->check(CLI::Range(1, 100));
}

void add_choice_options(CLI::App& command, const std::shared_ptr<PrepareArguments>& asked) {
    auto* frames =
        command
            .add_option("--frames", asked->options.frames, "of each recording, evenly between 15 % and 85 %; 0: all")
            ->check(CLI::Range(0, 1024));
    command.add_option("--every", asked->options.every, "instead, every so manieth frame of that part")
        ->check(CLI::Range(1, 1000000))
        ->excludes(frames);
    command.add_flag("--combine", asked->options.equal_sources,
                     "no source larger than the median; whole groups; divided anew");
    command.add_flag("--balance", asked->options.balance, "the best of the larger class, 48 to 52 % of each");
    command.add_option("--seed", asked->options.seed, "the same seed chooses the same");
    command.add_flag("--no-report", asked->no_report, "no report.html; report.json is written always");
    command.add_flag("--dry-run", asked->dry_run, "count what sampling gives, and write nothing");
    command.add_flag("--overwrite", asked->options.overwrite, "replace another preparation in the folder");
}

}  // namespace

void add_prepare_command(CLI::App& data) {
    auto asked = std::make_shared<PrepareArguments>();
    CLI::App* command = data.add_subcommand(
        "prepare", "sample frames, cut out faces, judge, choose, resize and enhance: a folder with a manifest");
    command->add_option("paths", asked->sources, "manifests or folders of sets, and last the folder to write")
        ->required()
        ->expected(2, 1000);
    add_face_options(*command, asked);
    add_picture_options(*command, asked);
    add_choice_options(*command, asked);
    command->footer("Example: liven data prepare nuaa faces --faces boxes --quality 0.65 --enhance auto --balance");
    command->callback([command, asked] {
        refuse_unused(*command, *asked);
        asked->out = asked->sources.back();
        asked->sources.pop_back();
        run_prepare(*asked);
    });
}

}  // namespace liven::cli
