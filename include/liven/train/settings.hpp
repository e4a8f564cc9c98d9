#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "liven/core/shape.hpp"
#include "liven/data/augment.hpp"
#include "liven/data/preprocess.hpp"
#include "liven/io/config.hpp"
#include "liven/models/options.hpp"

namespace liven {

/// Everything that decides what a training computes. Written to RUN/config.toml and read back by --resume.
struct TrainSettings {
    std::string model = "attacknet-v2.2";
    OptionMap model_options;
    std::string recipe = "default";
    std::string data;    ///< manifest or folder
    int64_t size = 256;  ///< pixels a side
    std::string interpolation = "lanczos";
    double crop_margin = 0;  ///< a sample's face box is grown by this share of its size on every side
    /// What pixels become: unit (0 to 1), z-score (mean and deviation of the training set), imagenet (torchvision's
    /// mean and deviation), caffe (blue first, minus the mean; Keras' residual networks), lgsc ((x - 100) / 80), or
    /// pretrained: that of the pretrained weights, z-score without any.
    std::string normalization = "unit";
    int64_t frames = 0;           ///< of a clip; 0: the model sees pictures
    int64_t clip_stride = 1;      ///< frames from one of a clip to its next; 0: spread over the recording
    int64_t clips_per_video = 1;  ///< of a recording, spread evenly
    std::string pretrained;       ///< a safetensors file with the encoder's weights; empty: it starts random
    std::string feature_cache;    ///< folder for the descriptors of a frozen encoder; empty: in the run; "off": none
    int64_t epochs = 20;
    int64_t batch = 16;
    int64_t accumulate = 1;          ///< micro-batches of `batch` images an update
    std::string optimizer = "adam";  ///< adam, adamw or sgd
    double learning_rate = 1e-3;
    /// constant, cosine, step (x0.1 at 50 and 75 %), milestones or plateau (x0.5, patience 7)
    std::string schedule = "cosine";
    std::vector<int64_t> milestones;  ///< epochs after which the rate is multiplied by milestone_factor
    double milestone_factor = 0.1;
    double minimum_rate = 0;  ///< plateau goes no lower
    int64_t warm_up = 0;      ///< updates
    double weight_decay = 0;
    double momentum = 0.9;  ///< sgd
    double label_smoothing = 0;
    double clip_norm = 0;
    std::string best_by = "loss";        ///< of validation, loss or acer: which epoch's weights the model file holds
    int64_t patience = 0;                ///< epochs without a better one before stopping early; 0: never
    std::string augmentation = "light";  ///< none, light, paper-a, paper-k, paper-m, paper-w or lgsc
    bool balanced = false;               ///< both classes equally often, half and half in every batch
    bool drop_last = false;              ///< a last batch that is smaller is left out
    bool class_weights = false;          ///< loss weighted by inverse class frequency
    std::string dtype = "f32";           ///< how maps between steps are stored: f32 or bf16
    uint64_t seed = 42;
    /// "4GB": what the training may take, all in all. The pictures kept decoded get what is left; if that is nothing,
    /// parts of the step are computed twice rather than held. Empty: no limit.
    std::string memory_limit;
    int64_t checkpoint_every = 0;  ///< updates; 0: at the end of each epoch only
    std::string group_by = "automatic";
    std::string allow_leak;  ///< why a manifest whose splits share groups is used all the same

    /// H x W x C, of clips T x H x W x C.
    Shape input() const;
    /// Of z-score without the training set's mean and deviation, which nobody knows yet.
    data::Preprocess preprocess() const;
    data::Augmentation augment() const;

    /// Overrides the fields that the configuration names. Throws Error for an unknown key or a value that cannot be.
    void read(const Config& config);
    Config to_config() const;
    /// Throws Error naming the field.
    void validate() const;
};

}  // namespace liven
