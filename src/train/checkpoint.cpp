#include "liven/train/checkpoint.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/io/json.hpp"
#include "liven/io/safetensors.hpp"
#include "src/core/writing.hpp"

namespace liven {
namespace {

constexpr const char* kFormat = "liven-checkpoint-3";

Json to_json(const TrainProgress& p) {
    Json terms = Json::object();
    for (const auto& [name, sum] : p.epoch_terms) terms[name] = sum;
    return Json::object({{"step", p.step},
                         {"optimizer_steps", p.optimizer_steps},
                         {"forward_count", p.forward_count},
                         {"epoch", p.cursor.epoch},
                         {"batch", p.cursor.batch},
                         {"rate_factor", p.rate_factor},
                         {"epoch_loss", p.epoch_loss},
                         {"epoch_terms", terms},
                         {"epoch_images", p.epoch_images},
                         {"epoch_classified", p.epoch_classified},
                         {"epoch_correct", p.epoch_correct},
                         {"stop", p.stop}});
}

TermSums terms_from(const Json& json) {
    TermSums terms;
    for (const auto& [name, sum] : json.members()) terms[name] = sum.number();
    return terms;
}

TrainProgress progress_from(const Json& json) {
    return {.step = json.at("step").integer(),
            .optimizer_steps = json.at("optimizer_steps").integer(),
            .forward_count = json.at("forward_count").integer(),
            .cursor = {.epoch = json.at("epoch").integer(), .batch = json.at("batch").integer()},
            .rate_factor = static_cast<float>(json.at("rate_factor").number()),
            .epoch_loss = json.at("epoch_loss").number(),
            .epoch_terms = terms_from(json.at("epoch_terms")),
            .epoch_images = json.at("epoch_images").integer(),
            .epoch_classified = json.at("epoch_classified").integer(),
            .epoch_correct = json.at("epoch_correct").integer(),
            .stop = json.at("stop").text()};
}

/// A callback's tensors lie among the others as "callback/<name>/<tensor>".
std::string tensor_prefix(const std::string& callback) { return "callback/" + callback + "/"; }

NamedTensors all_tensors(const Checkpoint& checkpoint) {
    NamedTensors all = checkpoint.tensors;
    for (const auto& [name, state] : checkpoint.callbacks)
        for (const auto& [tensor, value] : state.tensors) all.emplace(tensor_prefix(name) + tensor, value);
    return all;
}

Json callback_values(const Checkpoint& checkpoint) {
    Json json = Json::object();
    for (const auto& [name, state] : checkpoint.callbacks) json[name] = state.values;
    return json;
}

/// Takes the callbacks' tensors out of `tensors`.
std::map<std::string, CallbackState> callbacks_from(const Json& values, NamedTensors& tensors) {
    std::map<std::string, CallbackState> callbacks;
    for (const auto& [name, value] : values.members()) {
        CallbackState& state = callbacks[name];
        state.values = value;
        const std::string prefix = tensor_prefix(name);
        for (auto it = tensors.lower_bound(prefix); it != tensors.end() && it->first.rfind(prefix, 0) == 0;) {
            state.tensors.emplace(it->first.substr(prefix.size()), std::move(it->second));
            it = tensors.erase(it);
        }
    }
    return callbacks;
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
    // Earlier versions did not write everything.
    const auto text_or = [&](const char* key, const char* otherwise) {
        const auto found = file.metadata.find(key);
        return found == file.metadata.end() ? std::string(otherwise) : found->second;
    };
    if (text("format") != kFormat)
        throw Error(path.string(), "expected format " + std::string(kFormat) + ", got '" + text("format") + "'");
    Checkpoint checkpoint{.progress = progress_from(Json::parse(text("progress"), path.string())),
                          .isa = text("isa"),
                          .tuning = text_or("tuning", "none"),
                          .numerics = text_or("numerics", "none"),
                          .settings = text("settings"),
                          .data = text("data"),
                          .tensors = std::move(file.tensors),
                          .callbacks = {}};
    checkpoint.callbacks = callbacks_from(Json::parse(text("callbacks"), path.string()), checkpoint.tensors);
    return checkpoint;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
    make_folders(folder);
    char name[48];
    std::snprintf(name, sizeof name, "step-%012lld.safetensors", static_cast<long long>(checkpoint.progress.step));
    write_safetensors(folder / name, all_tensors(checkpoint),
                      {{"format", kFormat},
                       {"progress", to_json(checkpoint.progress).str()},
                       {"callbacks", callback_values(checkpoint).str()},
                       {"isa", checkpoint.isa},
                       {"tuning", checkpoint.tuning},
                       {"numerics", checkpoint.numerics},
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
