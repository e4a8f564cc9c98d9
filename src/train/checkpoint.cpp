#include "liven/train/checkpoint.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/io/json.hpp"
#include "liven/io/safetensors.hpp"

namespace liven {
namespace {

constexpr const char* kFormat = "liven-checkpoint-1";

Json to_json(const TrainProgress& p) {
    return Json::object({{"step", p.step},
                         {"optimizer_steps", p.optimizer_steps},
                         {"forward_count", p.forward_count},
                         {"epoch", p.cursor.epoch},
                         {"batch", p.cursor.batch},
                         {"learning_rate", p.learning_rate},
                         {"plateau_best", p.plateau.best},
                         {"plateau_has_best", p.plateau.has_best},
                         {"plateau_waited", p.plateau.waited},
                         {"plateau_cooling", p.plateau.cooling},
                         {"best_loss", p.best_loss},
                         {"best_epoch", p.best_epoch},
                         {"epochs_without_better", p.epochs_without_better},
                         {"epoch_loss", p.epoch_loss},
                         {"epoch_images", p.epoch_images},
                         {"epoch_correct", p.epoch_correct},
                         {"finished_epoch", p.finished_epoch}});
}

TrainProgress progress_from(const Json& json) {
    TrainProgress p;
    p.step = json.at("step").integer();
    p.optimizer_steps = json.at("optimizer_steps").integer();
    p.forward_count = json.at("forward_count").integer();
    p.cursor = {.epoch = json.at("epoch").integer(), .batch = json.at("batch").integer()};
    p.learning_rate = static_cast<float>(json.at("learning_rate").number());
    p.plateau = {.best = json.at("plateau_best").number(),
                 .has_best = json.at("plateau_has_best").boolean(),
                 .waited = json.at("plateau_waited").integer(),
                 .cooling = json.at("plateau_cooling").integer()};
    p.best_loss = json.at("best_loss").number();
    p.best_epoch = json.at("best_epoch").integer();
    p.epochs_without_better = json.at("epochs_without_better").integer();
    p.epoch_loss = json.at("epoch_loss").number();
    p.epoch_images = json.at("epoch_images").integer();
    p.epoch_correct = json.at("epoch_correct").integer();
    p.finished_epoch = json.at("finished_epoch").boolean();
    return p;
}

/// Checkpoint files, the newest first.
std::vector<std::filesystem::path> list(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.rfind("step-", 0) == 0 && entry.path().extension() == ".safetensors") files.push_back(entry.path());
    }
    std::sort(files.rbegin(), files.rend());
    return files;
}

Checkpoint load(const std::filesystem::path& path) {
    Safetensors file = read_safetensors(path);
    const auto text = [&](const char* key) {
        const auto found = file.metadata.find(key);
        if (found == file.metadata.end())
            throw Error(path.string(), std::string("this is no checkpoint: it has no '") + key + "'");
        return found->second;
    };
    if (text("format") != kFormat)
        throw Error(path.string(), "expected format " + std::string(kFormat) + ", got '" + text("format") + "'");
    return {.progress = progress_from(Json::parse(text("progress"), path.string())),
            .isa = text("isa"),
            .settings = text("settings"),
            .data = text("data"),
            .tensors = std::move(file.tensors)};
}

}  // namespace

void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
    std::filesystem::create_directories(folder);
    char name[48];
    std::snprintf(name, sizeof name, "step-%012lld.safetensors", static_cast<long long>(checkpoint.progress.step));
    write_safetensors(folder / name, checkpoint.tensors,
                      {{"format", kFormat},
                       {"progress", to_json(checkpoint.progress).str()},
                       {"isa", checkpoint.isa},
                       {"settings", checkpoint.settings},
                       {"data", checkpoint.data}});
    // The one before stays: should this one be lost with the disk's cache, there is still somewhere to go on from.
    const auto files = list(folder);
    for (size_t i = 2; i < files.size(); ++i) {
        std::error_code ignored;
        std::filesystem::remove(files[i], ignored);
    }
}

std::optional<Checkpoint> load_newest_checkpoint(const std::filesystem::path& folder) {
    for (const std::filesystem::path& path : list(folder)) {
        try {
            return load(path);
        } catch (const Error& error) {
            log_warning(std::string("checkpoint passed over: ") + error.what());
        }
    }
    return {};
}

}  // namespace liven
