#include "run_folder.hpp"

#include "liven/core/error.hpp"
#include "liven/io/config.hpp"
#include "liven/io/file.hpp"
#include "liven/io/json_lines.hpp"

namespace liven {

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
    std::filesystem::create_directories(path_);
    settings.to_config().write(config());
}

TrainSettings RunFolder::settings() const {
    TrainSettings settings;
    settings.read(Config::read(config()));
    return settings;
}

void RunFolder::drop_log_after(int64_t step) const {
    if (!std::filesystem::exists(log())) return;
    std::string kept;
    for (const Json& line : read_json_lines(log()))
        if (!line.find("step") || line.at("step").integer() <= step) kept += line.str() + "\n";
    write_file_atomically(log(), kept);
}

}  // namespace liven
