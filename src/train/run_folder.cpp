#include "run_folder.hpp"

#include <sstream>

#include "environment_line.hpp"
#include "liven/core/error.hpp"
#include "liven/io/config.hpp"
#include "liven/io/file.hpp"
#include "liven/io/json_lines.hpp"
#include "src/core/writing.hpp"

namespace liven {
namespace {

/// A comment to whoever reads the settings: the state of the pretrained weights when the run began.
const std::string kPretrainedLine = "# size and time of change of the pretrained weights: ";

}  // namespace

void RunFolder::require_new() const {
    if (std::filesystem::exists(config()))
        throw Error(path_.string(), "there is a run already", "go on with it by --resume, or choose another --out");
}

void RunFolder::require_begun() const {
    if (!std::filesystem::exists(config()))
        throw Error(path_.string(), "there is no run here: config.toml is missing",
                    "--resume takes the folder given to --out");
}

void RunFolder::begin(const TrainSettings& settings) const {
    make_folders(path_);
    std::string text = settings.to_config().str();
    if (!settings.pretrained.empty()) text += kPretrainedLine + file_state(settings.pretrained) + '\n';
    write_file_atomically(config(), text);
}

void RunFolder::require_same_pretrained(const TrainSettings& settings) const {
    if (settings.pretrained.empty()) return;
    const std::string text = read_text_file(config());
    const size_t at = text.rfind('\n' + kPretrainedLine);
    if (at == std::string::npos) return;  // begun by an older Liven, or edited
    const size_t from = at + 1 + kPretrainedLine.size();
    if (text.substr(from, text.find('\n', from) - from) != file_state(settings.pretrained))
        throw Error(settings.pretrained, "the file is no longer the one that this run began with",
                    "put that one back with its time of change, or start a new run with --out");
}

std::vector<std::string> RunFolder::environments() const {
    std::vector<std::string> lines;
    if (!std::filesystem::exists(environment())) return lines;
    std::istringstream text(read_text_file(environment()));
    for (std::string line; std::getline(text, line);)
        if (!line.empty()) lines.push_back(line);
    return lines;
}

void RunFolder::note_environment() const {
    std::vector<std::string> lines = environments();
    if (!lines.empty() && lines.back() == environment_line()) return;
    lines.push_back(environment_line());
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    write_file_atomically(environment(), text);
}

TrainSettings RunFolder::settings() const {
    TrainSettings settings;
    settings.read(Config::read(config()));
    return settings;
}

void RunFolder::drop_log_after(int64_t step) const {
    if (!std::filesystem::exists(log())) return;
    std::string kept;
    visit_json_lines(log(), [&](const Json& line) {
        if (!line.find("step") || line.at("step").integer() <= step) kept += line.str() + "\n";
    });
    write_file_atomically(log(), kept);
}

}  // namespace liven
