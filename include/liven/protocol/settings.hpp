#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "liven/io/config.hpp"
#include "liven/train/settings.hpp"

namespace liven::protocol {

/// Which questions are asked of every model.
struct Questions {
    bool within = false;       ///< trained and tested on one set
    bool cross = false;        ///< trained on one set, tested on each other (zero-shot)
    bool combined = false;     ///< trained on all sets together, each equally represented; tested on each
    bool unseen_set = false;   ///< trained on all sets but one, tested on that one
    bool unseen_type = false;  ///< one attack type left out of training, and alone in testing
    bool cross_type = false;   ///< the same, tested on the other sets: unseen set and unseen attack at once
};

enum class ThresholdRule : uint8_t { minimum_acer, equal_error_rate };

/// What statistics take as independent observations.
enum class Units : uint8_t { cells, seeds, folds };

/// Whether the data sets are looked for. Of a protocol whose results are there they may be gone.
enum class DataCheck : uint8_t { must_exist, may_be_gone };

/// A data set by its name in every table.
struct NamedData {
    std::string name;
    std::filesystem::path path;  ///< manifest or folder
};

/// What `liven protocol` is asked for: models x data sets x seeds (x folds), and the questions.
///
///     models = ["livenessnet", "attacknet-v2.2"]
///     seeds = [42, 43]
///     protocols = ["within", "cross", "combined"]
///     [data]
///     replay-attack = "sets/replay"      # name = manifest or folder
///     csmad = "sets/csmad"
///     [train]                            # whatever liven train takes
///     epochs = 20
///     [model.attacknet-v2.2]             # the same, of one model only
///     batch = 8
///     [on.replay-attack]                 # the same, for trainings on that set; [on.combined] on all together
///     recipe = "paper-k-replay-attack"
struct ProtocolSettings {
    std::vector<std::string> models;
    std::vector<NamedData> data;
    std::vector<int64_t> seeds{42};
    int64_t folds = 0;  ///< 0: the sets' own split, or one drawn; k: k folds by group, each tested once
    uint64_t split_seed = 42;
    std::string group_by = "automatic";
    std::string allow_leak;
    Questions questions;
    ThresholdRule threshold = ThresholdRule::minimum_acer;
    std::string compare = "accuracy";  ///< the measure that statistics are about: accuracy, acer or auc
    Units units = Units::cells;
    int64_t resamples = 1000;  ///< of the intervals' bootstrap
    Config all;                ///< [train]
    std::map<std::string, Config, std::less<>> of_model, on_source;

    /// Throws Error with file, line and key: an unknown key, model, protocol or recipe, a value that cannot be, keys of
    /// [train] that belong to the top. Every combination of model and source has been tried then.
    static ProtocolSettings read(const Config& config, DataCheck check = DataCheck::must_exist);
    /// What `read` makes these settings of.
    Config to_config() const;

    /// The settings of one training, but for its data: recipe, then [train], [model.NAME], [on.SOURCE]. `source` is the
    /// name of a set, or "combined".
    TrainSettings training(std::string_view model, std::string_view source, int64_t seed) const;
};

}  // namespace liven::protocol
