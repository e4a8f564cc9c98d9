#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "liven/train/settings.hpp"

namespace liven::protocol {

/// A setting that is varied: a number of `TrainSettings`, or an option of the model.
struct SearchRange {
    std::string name;  ///< "learning_rate", "dropout"
    double low = 0, high = 0;
    bool logarithmic = false;  ///< drawn evenly over the exponents
    bool whole = false;        ///< drawn among whole numbers

    /// "learning_rate=1e-6..1e-3:log", "dropout=0.1..0.5", "batch=4..32:whole". Throws Error saying what is missing.
    static SearchRange parse(std::string_view text);
};

enum class SearchMethod : uint8_t {
    random,
    halving  ///< successive halving (Jamieson and Talwalkar 2016): many short trainings, the best of them longer
};

struct SearchSettings {
    TrainSettings base;  ///< what is not varied, data included; its epochs are those of the longest trainings
    std::vector<SearchRange> ranges;
    SearchMethod method = SearchMethod::random;
    int64_t trials = 16;
    int64_t keep = 3;         ///< halving: one in so many goes on, to trainings of so many times the epochs
    std::string by = "loss";  ///< validation loss, acer or auc
    uint64_t seed = 1;        ///< of what is drawn, and of nothing else

    /// Throws Error naming what cannot be: a name that is no number among the settings, bounds out of order.
    void validate() const;
};

/// One training of a search.
struct Trial {
    int64_t rung = 0, number = 0;  ///< from 0; a trial keeps its number from rung to rung
    int64_t epochs = 0;
    std::vector<double> values;                            ///< of the ranges, in order
    std::optional<double> loss = {}, acer = {}, auc = {};  ///< on validation
    std::string failed;                                    ///< why it ended without a result; empty: it has one
};

struct SearchResult {
    std::vector<Trial> trials;     ///< in the order in which they ended
    std::optional<Trial> best;     ///< of the last rung; nothing when all failed
    std::filesystem::path config;  ///< OUT/best.toml, for liven train --config
};

/// Trains with drawn settings and compares them on validation; the test samples are left out of the data before
/// anything is trained. OUT holds data.csv, search.jsonl (a line a trial), trials/ and best.toml; started again with
/// the same settings and data it goes on where it was and ends with the same result. Trials that failed are tried again
/// then. Throws Error when OUT holds another search; Interrupted after Trainer::request_stop().
SearchResult search(const SearchSettings& settings, const std::filesystem::path& out);

/// The settings of one trial.
TrainSettings settings_of_trial(const SearchSettings& settings, const std::vector<double>& values);

/// Trials from the best down, the last rung first, as Markdown.
std::string search_table(const SearchSettings& settings, const SearchResult& result);

}  // namespace liven::protocol
