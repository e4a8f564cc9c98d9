#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "liven/data/preprocess.hpp"
#include "liven/io/host_tensor.hpp"
#include "liven/io/json.hpp"
#include "liven/models/options.hpp"
#include "liven/nn/module.hpp"
#include "liven/nn/session.hpp"

namespace liven {

/// How the decision threshold was chosen, with what it was chosen from.
struct ThresholdInfo {
    double value = 0.5;
    std::string rule = "none";  ///< "minimum validation ACER", "equal error rate", ...; "none": never chosen
    std::vector<int64_t> bonafide_histogram, attack_histogram;  ///< validation scores in equal bins over [0, 1]
};

/// Everything a model needs besides its weights to be run as it was trained.
struct ModelFileInfo {
    std::string model;  ///< name in the registry: "attacknet-v2.2"
    OptionMap options;
    Shape input;              ///< H x W x C, of clips T x H x W x C
    int64_t clip_stride = 1;  ///< of a clip's frames, see data::ClipOptions
    data::Preprocess preprocess;
    std::vector<std::string> classes{"bonafide", "attack"};
    /// What the threshold is compared with, as the model's objective names it; save_model() asks the model.
    std::string score = "softmax probability of bona fide";
    ThresholdInfo threshold;
    Json training = Json::object();  ///< facts for people and reports: recipe, epochs, data, allow-leak reason
};

/// Writes one safetensors file: weights and running statistics by name, the info, and a golden pair (a small input made
/// by formula and what the model gives for it in inference mode). Atomic: the old file stays until the new one is
/// complete.
void save_model(const std::filesystem::path& path, Module& model, const ModelFileInfo& info);

struct LoadedModel {
    std::unique_ptr<Module> model;  ///< in inference mode
    ModelFileInfo info;
};
/// Reads a model file, builds the model and checks its golden pair. Throws Error listing missing, surplus and misshapen
/// tensors, or when the golden output differs by more than 1e-4 of their size: then this build computes something else
/// than the writer did.
LoadedModel load_model(const std::filesystem::path& path);

/// A session of the loaded model for `batch` pictures. With dense weights in bf16 the golden input is run first: when
/// its logits move by more than 1 % of their size, the session keeps f32 and a warning says so.
InferenceSession open_session(LoadedModel& loaded, const InferenceSession::Options& options = {});

/// Copies every state of the model from tensors by name. Throws Error listing what is missing, surplus or misshapen.
void load_states(Module& model, const NamedTensors& tensors, const std::string& where);
/// Every state of the model by name, copied.
NamedTensors copy_states(Module& model);

}  // namespace liven
