#include "liven/protocol/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "begun.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/core/philox.hpp"
#include "liven/data/split.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/protocol/table.hpp"
#include "liven/train/trainer.hpp"
#include "src/core/folder_lock.hpp"
#include "trial_log.hpp"

namespace liven::protocol {
namespace {

/// Each range by a stream of its own: another range, or another number of trials, changes none of the others' draws.
std::vector<double> drawn(const SearchSettings& settings, int64_t trial) {
    std::vector<double> values;
    for (size_t i = 0; i < settings.ranges.size(); ++i) {
        const SearchRange& range = settings.ranges[i];
        Random random(settings.seed, Random::mix(i, static_cast<uint64_t>(trial)));
        const double share = static_cast<double>(random.bits64() >> 11) * 0x1p-53;
        double value = range.logarithmic ? range.low * std::pow(range.high / range.low, share)
                                         : range.low + (range.high - range.low) * share;
        if (range.whole) value = std::round(value);
        values.push_back(std::clamp(value, range.low, range.high));
    }
    return values;
}

/// What the search is, as text: compared when it is started again.
std::string description_of(const SearchSettings& settings) {
    Config config = settings.base.to_config();
    std::vector<std::string> ranges;
    for (const SearchRange& r : settings.ranges)
        ranges.push_back(r.name + " " + Json::array_of(std::vector<double>{r.low, r.high}).str() +
                         (r.logarithmic ? " log" : "") + (r.whole ? " whole" : ""));
    config.set("search.ranges", ranges);
    config.set("search.method", std::string(settings.method == SearchMethod::random ? "random" : "halving"));
    config.set("search.trials", settings.trials);
    config.set("search.keep", settings.keep);
    config.set("search.by", settings.by);
    config.set("search.seed", static_cast<int64_t>(settings.seed));
    return config.str();
}

/// Training and validation samples, divided as a training would divide them, without the test samples.
data::Dataset searched(const SearchSettings& settings) {
    data::Dataset set = data::open_dataset(settings.base.data);
    assign_splits(set, {.seed = settings.base.seed,
                        .group_by = data::group_by_from(settings.base.group_by),
                        .allow_leak = settings.base.allow_leak});
    std::erase_if(set.samples, [](const data::Sample& sample) { return sample.split == data::Split::test; });
    return set;
}

/// Lower is better; a trial without the figure is worse than all others.
double cost(const SearchSettings& settings, const Trial& trial) {
    const auto& figure = settings.by == "loss" ? trial.loss : settings.by == "acer" ? trial.acer : trial.auc;
    if (!figure || !trial.failed.empty()) return std::numeric_limits<double>::infinity();
    return settings.by == "auc" ? -*figure : *figure;
}

/// Of equal costs the earlier trial.
bool better(const SearchSettings& settings, const Trial& a, const Trial& b) {
    const double x = cost(settings, a), y = cost(settings, b);
    return x != y ? x < y : a.number < b.number;
}

std::optional<double> value_of(const Measure& measure) {
    return measure ? std::optional(measure.value()) : std::nullopt;
}

class Search {
public:
    Search(const SearchSettings& settings, std::filesystem::path data, const std::filesystem::path& out)
        : settings_(settings), out_(out), data_(std::move(data)), log_(out / "search.jsonl") {
        visit_json_lines(log_.path(), [&](const Json& line) {
            Trial trial = trial_from(settings, line);
            // What failed for want of space or memory may not fail again.
            if (trial.failed.empty()) done_.push_back(std::move(trial));
        });
    }

    std::vector<Trial> run() {
        std::vector<int64_t> numbers;
        for (int64_t i = 0; i < settings_.trials; ++i) numbers.push_back(i);
        const int64_t rungs = rung_count();
        for (int64_t rung = 0; rung < rungs; ++rung) {
            std::vector<Trial> trials;
            for (const int64_t number : numbers) trials.push_back(trial(rung, number, epochs_of(rung, rungs)));
            std::sort(trials.begin(), trials.end(),
                      [&](const Trial& a, const Trial& b) { return better(settings_, a, b); });
            numbers.clear();
            const auto going_on = std::max<size_t>(1, trials.size() / static_cast<size_t>(settings_.keep));
            for (size_t i = 0; i < going_on; ++i) numbers.push_back(trials[i].number);
            std::sort(numbers.begin(), numbers.end());
        }
        return std::move(done_);
    }

private:
    /// As many as leave one trial at least, and one epoch.
    int64_t rung_count() const {
        if (settings_.method == SearchMethod::random) return 1;
        int64_t rungs = 1, trials = settings_.trials, epochs = settings_.base.epochs;
        while (trials >= settings_.keep && epochs >= settings_.keep) {
            trials /= settings_.keep;
            epochs /= settings_.keep;
            ++rungs;
        }
        return rungs;
    }

    int64_t epochs_of(int64_t rung, int64_t rungs) const {
        int64_t epochs = settings_.base.epochs;
        for (int64_t i = rung + 1; i < rungs; ++i) epochs /= settings_.keep;
        return std::max<int64_t>(1, epochs);
    }

    Trial trial(int64_t rung, int64_t number, int64_t epochs) {
        for (const Trial& done : done_)
            if (done.rung == rung && done.number == number) return done;
        Trial trial{.rung = rung, .number = number, .epochs = epochs, .values = drawn(settings_, number), .failed = {}};
        const std::filesystem::path run =
            out_ / "trials" / ("rung" + std::to_string(rung + 1) + "_trial" + std::to_string(number + 1));
        log_info("rung " + std::to_string(rung + 1) + ", trial " + std::to_string(number + 1) + " of " +
                 std::to_string(settings_.trials));
        bool stop = false;
        try {
            stop = train(trial, run);
        } catch (const Error& error) {
            trial.failed = error.what();
            log_warning("it failed: " + trial.failed);
        }
        log_.append(json_of(settings_, trial));
        std::filesystem::remove_all(run / "checkpoints");
        done_.push_back(trial);
        if (stop) throw Interrupted{.step = 0, .run = run};
        return trial;
    }

    /// Whether a stop was asked for when there was nothing left to train.
    bool train(Trial& trial, const std::filesystem::path& run) const {
        TrainSettings settings = settings_of_trial(settings_, trial.values);
        settings.data = data_.string();
        if (settings_.method == SearchMethod::halving) settings.epochs = trial.epochs;
        trial.epochs = settings.epochs;
        const bool begun = std::filesystem::exists(run / "config.toml");
        Trainer trainer = begun ? Trainer::resume(run) : Trainer(settings, run);
        const TrainResult result = trainer.train();
        trial.loss = result.best_validation_loss;
        trial.acer = value_of(result.validation->acer);
        trial.auc = value_of(result.validation->roc_auc);
        return result.stop_requested;
    }

    const SearchSettings& settings_;
    std::filesystem::path out_, data_;
    JsonLines log_;
    std::vector<Trial> done_;
};

}  // namespace

SearchResult search(const SearchSettings& settings, const std::filesystem::path& out) {
    settings.validate();
    const FolderLock lock(out, FolderLock::Wait::no);
    const Undertaking asked{.what = "search",
                            .settings = description_of(settings),
                            .pretrained = settings.base.pretrained,
                            .file = out / "search.toml"};
    const std::filesystem::path data = begin_or_go_on(searched(settings), asked, out);
    SearchResult result{.trials = Search(settings, data, out).run(), .best = {}, .config = out / "best.toml"};
    int64_t last = 0;
    for (const Trial& trial : result.trials) last = std::max(last, trial.rung);
    for (const Trial& trial : result.trials) {
        if (trial.rung != last || !std::isfinite(cost(settings, trial))) continue;
        if (!result.best || better(settings, trial, *result.best)) result.best = trial;
    }
    if (result.best) {
        TrainSettings best = settings_of_trial(settings, result.best->values);
        best.data = std::filesystem::absolute(settings.base.data).lexically_normal().string();
        best.to_config().write(result.config);
    }
    return result;
}

std::string search_table(const SearchSettings& settings, const SearchResult& result) {
    ResultTable table{.id = "search",
                      .title = "Trials, best first",
                      .positive = {},
                      .columns = {"Rung", "Trial", "Epochs"},
                      .rows = {},
                      .notes = {}};
    for (const SearchRange& range : settings.ranges) table.columns.push_back(range.name);
    table.columns.insert(table.columns.end(), {"Validation loss", "ACER", "AUC"});
    std::vector<Trial> trials = result.trials;
    std::sort(trials.begin(), trials.end(), [&](const Trial& a, const Trial& b) {
        return a.rung != b.rung ? a.rung > b.rung : better(settings, a, b);
    });
    for (const Trial& trial : trials) {
        const auto figure = [&](const std::optional<double>& value) {
            return value ? TableCell(*value, 4) : TableCell(trial.failed.empty() ? "undefined" : "failed");
        };
        std::vector<TableCell> cells{std::to_string(trial.rung + 1), std::to_string(trial.number + 1),
                                     std::to_string(trial.epochs)};
        for (const double value : trial.values) cells.emplace_back(fmt::format("{:.4g}", value));
        for (const auto& value : {trial.loss, trial.acer, trial.auc}) cells.push_back(figure(value));
        table.add(std::move(cells));
        if (!trial.failed.empty())
            table.notes.push_back("Trial " + std::to_string(trial.number + 1) + " failed: " + trial.failed);
    }
    return to_markdown(table);
}

}  // namespace liven::protocol
