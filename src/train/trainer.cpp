#include "liven/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>

#include "feature_cache.hpp"
#include "liven/core/bytes.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/callbacks.hpp"
#include "liven/train/checkpoint.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/pretrained.hpp"
#include "make_optimizer.hpp"
#include "memory_estimate.hpp"
#include "run_folder.hpp"
#include "run_result.hpp"
#include "snapshot.hpp"
#include "src/core/writing.hpp"
#include "training_data.hpp"
#include "training_step.hpp"

namespace liven {
namespace {

volatile std::sig_atomic_t g_stop = 0;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Measure acer_of_classifier(const Scored& scored) {
    return scored.classifier ? minimum_acer(*scored.classifier).value : EpochReport().classifier_acer;
}

TrainSettings validated(TrainSettings settings) {
    settings.validate();
    return settings;
}

}  // namespace

struct Trainer::State {
    TrainSettings settings;
    RunFolder run;
    TrainingData data;
    TrainingStep step;
    Schedule schedule;
    TrainProgress progress;
    Training training{settings, run.path(), step.model(), step.optimizer(), progress};
    CallbackList callbacks;  ///< without the checkpoint's, which comes last
    Snapshot snapshot{settings, data, step, progress, callbacks};
    ProgressBar* bar = nullptr;  ///< these two are among the callbacks
    EarlyStopping* best = nullptr;
    double waited = 0;  ///< seconds of this epoch, for pictures
    Checkpointing checkpointing{settings.checkpoint_every, [this] { write_checkpoint(); }};

    State(TrainSettings chosen, std::filesystem::path folder)
        : settings(validated(std::move(chosen))),
          run(std::move(folder)),
          data(settings),
          step(settings, data.train().dataset(), "the last good checkpoint is in " + run.checkpoints().string()) {
        if (FrameEncoder* encoder = fixed_encoder()) {
            const NoGrad no_grad;
            const Shape rows = encoder->describe(Tensor::zeros(batched(1, settings.input()))).shape();
            step.set_described({rows[1], rows[2]});
        }
        announce();
        data.prepare();
        schedule = make_schedule(settings, updates_per_epoch());
        add_built_in();
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// An encoder that is not trained sees every frame once: the rest learns from what it made of them. Frames that
    /// change from epoch to epoch are described anew each time.
    FrameEncoder* fixed_encoder() {
        auto* encoder = dynamic_cast<FrameEncoder*>(&step.model());
        const bool fixed = encoder && encoder->encoder_frozen() && !settings.augment().active();
        return fixed && settings.feature_cache != "off" ? encoder : nullptr;
    }

    /// Of a new run: a resumed one has its weights from the checkpoint.
    void load_pretrained() {
        if (!settings.pretrained.empty())
            log_info("pretrained  " + settings.pretrained + ": " +
                     Pretrained(settings.pretrained).load(step.model()).str());
        else if (takes_pretrained(settings.model))
            log_info("the encoder starts random: no --pretrained file");
    }

    /// Needs the weights as they are trained on, loaded or restored.
    void describe_frames_once() {
        FrameEncoder* encoder = fixed_encoder();
        if (!encoder) return;
        const std::filesystem::path folder =
            settings.feature_cache.empty() ? run.path() / "features" : std::filesystem::path(settings.feature_cache);
        const auto table = [&](data::Loader& loader) {
            auto rows = describe_frames(step.model(), *encoder, loader,
                                        {.batch = settings.batch,
                                         .sample = step.described().value(),
                                         .folder = folder,
                                         .stop = Trainer::stop_requested});
            if (!rows) interrupt();
            return std::move(*rows);
        };
        data::FeatureTable train = table(data.train()), validation = table(data.validation());
        data.use_features(std::move(train), std::move(validation));
    }

    int64_t updates_per_epoch() { return (data.train().batches() + settings.accumulate - 1) / settings.accumulate; }

    void add_built_in() {
        const auto by = settings.best_by == "acer" ? EarlyStopping::By::acer : EarlyStopping::By::loss;
        best = static_cast<EarlyStopping*>(&callbacks.add(std::make_unique<EarlyStopping>(settings.patience, by)));
        if (settings.schedule == "plateau")
            callbacks.add(std::make_unique<PlateauRate>(
                ReduceOnPlateau::Options{.min_rate = static_cast<float>(settings.minimum_rate)}));
        bar = static_cast<ProgressBar*>(&callbacks.add(std::make_unique<ProgressBar>()));
        callbacks.add(std::make_unique<EpochLog>());
    }

    template <class Call>
    void notify(const Call& call) {
        for (const auto& callback : callbacks) call(*callback);
        call(checkpointing);
    }

    double states() { return bytes_of(step.model().states()); }
    double moments() { return bytes_of(step.optimizer().states()); }

    MemoryEstimate memory(const PlanMemory& plan) {
        const data::LoaderOptions& loader = data.train().options();
        return {.step = plan.total(thread_count()),
                .cache = data.cache_bytes(),
                .queue = static_cast<double>(loader.prefetch + 1) * static_cast<double>(settings.batch) * 3.0 *
                         static_cast<double>(std::max<int64_t>(1, settings.frames) * settings.size * settings.size) *
                         sizeof(float),
                .copies = states() + (2 * states() + moments())};
    }

    /// Within the limit the pictures kept decoded give way first, since reading them again costs the step less than
    /// computing parts of it twice.
    MemoryEstimate fitted_memory() {
        PlanMemory plan = step.memory();
        MemoryEstimate estimate = memory(plan);
        if (settings.memory_limit.empty()) return estimate;
        const auto limit = static_cast<double>(bytes_from("memory_limit", settings.memory_limit));
        // Without the threads' scratch, which is small: the bits must not depend on how many there are.
        const double scratch = static_cast<double>(plan.scratch_bytes) * thread_count();
        const double left = limit - states() - moments() - (estimate.total() - estimate.cache - scratch);
        data.limit_cache(std::max(0.0, left));
        if (left < 0) {
            step.limit_arena(plan.arena_bytes + static_cast<int64_t>(left));
            plan = step.memory();
            char line[120];
            std::snprintf(line, sizeof line, "memory limit %s: %.1f %% of the step's arithmetic is done twice",
                          settings.memory_limit.c_str(), 100 * plan.repeated);
            log_info(line);
        }
        return memory(plan);
    }

    void announce() {
        const MemoryEstimate estimate = fitted_memory();
        char line[256];
        std::snprintf(line, sizeof line, "%s  %.0f parameters  needs %.0f MB (%s)  %s, %d threads",
                      std::string(model_info(settings.model).title).c_str(), states() / sizeof(float),
                      estimate.total() * 1e-6, estimate.str().c_str(), std::string(name_of(active_isa())).c_str(),
                      thread_count());
        log_info(line);
        estimate.require(available_memory());
        const data::SplitRecord& split = data.split();
        std::snprintf(line, sizeof line, "data  %lld train / %lld val / %lld test images, %lld groups by %s%s",
                      static_cast<long long>(split.train), static_cast<long long>(split.val),
                      static_cast<long long>(split.test), static_cast<long long>(split.groups),
                      std::string(data::name_of(split.group_by)).c_str(),
                      split.leak_reason.empty() ? ", none in two splits" : ", LEAKING (allowed)");
        log_info(line);
        if (settings.frames == 0) return;
        std::snprintf(line, sizeof line, "clips  %lld train / %lld val, of %lld frames each",
                      static_cast<long long>(data.train().dataset().size()),
                      static_cast<long long>(data.validation().dataset().size()),
                      static_cast<long long>(settings.frames));
        log_info(line);
    }

    void write_checkpoint() { save_checkpoint(run.checkpoints(), snapshot.take()); }

    float current_rate() const { return schedule(progress.step) * progress.rate_factor; }

    static TermSums means_of(TermSums sums, double images) {
        for (auto& [name, sum] : sums) sum /= images;
        return sums;
    }
    double accuracy() const {
        if (progress.epoch_classified == 0) return std::numeric_limits<double>::quiet_NaN();
        return static_cast<double>(progress.epoch_correct) / static_cast<double>(progress.epoch_classified);
    }

    StepReport report_of(int64_t epoch, int64_t index, int64_t last, const TrainingStep::Sums& sums) {
        const auto images = static_cast<double>(progress.epoch_images);
        return {.epoch = epoch,
                .index = index,
                .last = last,
                .loss = sums.loss / static_cast<double>(sums.images),
                .images = sums.images,
                .epoch_loss = progress.epoch_loss / images,
                .epoch_terms = means_of(progress.epoch_terms, images),
                .epoch_accuracy = accuracy(),
                .learning_rate = step.optimizer().learning_rate()};
    }

    /// What is to be gone on with has been written.
    [[noreturn]] void interrupt() const {
        g_stop = 0;
        throw Interrupted{.step = progress.step, .run = run.path()};
    }

    void run_epoch(int64_t epoch) {
        const int64_t last = updates_per_epoch() - 1, first = data.train().cursor().batch / settings.accumulate;
        const EpochStart start{.epoch = epoch, .first = first, .last = last};
        notify([&](Callback& callback) { callback.on_epoch_begin(training, start); });
        for (int64_t i = first; i <= last; ++i) {
            const TrainingStep::Sums sums = step.run(data.train(), current_rate(), progress.step + 1);
            if (sums.images == 0) break;
            waited += sums.waited;
            progress.epoch_loss += sums.loss;
            progress.epoch_images += sums.images;
            for (const auto& [name, sum] : sums.terms) progress.epoch_terms[name] += sum;
            progress.epoch_classified += sums.classified;
            progress.epoch_correct += sums.correct;
            ++progress.step;
            const StepReport report = report_of(epoch, i, last, sums);
            notify([&](Callback& callback) { callback.on_step(training, report); });
            if (g_stop && i < last) {
                write_checkpoint();
                interrupt();
            }
        }
        // The loader begins the next epoch with its next batch; asking once more ends this one.
        if (data.train().cursor().epoch == epoch) static_cast<void>(data.train().next());
    }

    void finish_epoch(int64_t epoch, Clock::time_point start) {
        const Scored validation = score(step.model(), data.validation());
        const Measure acer = minimum_acer(validation.scores).value;
        const auto images = static_cast<double>(std::max<int64_t>(1, progress.epoch_images));
        const EpochReport report{
            .epoch = epoch,
            .step = progress.step,
            .images = progress.epoch_images,
            .loss = progress.epoch_loss / images,
            .accuracy = accuracy(),
            .terms = means_of(progress.epoch_terms, images),
            .validation_loss = validation.loss,
            .validation_accuracy = validation.accuracy,
            .validation_terms = validation.terms,
            .validation_acer = acer,
            .classifier_acer = acer_of_classifier(validation),
            .learning_rate = step.optimizer().learning_rate(),
            .gradient_norm = step.optimizer().gradient_norm(),
            .seconds = seconds_since(start),
            .data_seconds = std::exchange(waited, 0.0),
            .peak_memory = peak_memory(),
            .best = best->improves(validation.loss, acer.value_or(std::numeric_limits<double>::quiet_NaN()))};
        progress.epoch_loss = 0;
        progress.epoch_terms.clear();
        progress.epoch_images = progress.epoch_classified = progress.epoch_correct = 0;
        progress.cursor = data.train().cursor();
        notify([&](Callback& callback) { callback.on_epoch_end(training, report); });
    }

    /// A training that was asked to stop and then killed still has the rest of its epoch to do.
    bool done() const {
        return progress.cursor.epoch >= settings.epochs || (!progress.stop.empty() && progress.cursor.batch == 0);
    }

    TrainResult train() {
        callbacks.warn_of_waiting();
        describe_frames_once();
        const Clock::time_point start = Clock::now();
        // However train() ends, the bar ends its line.
        const std::unique_ptr<ProgressBar, void (*)(ProgressBar*)> guard(bar, [](ProgressBar* b) { b->close(); });
        progress.cursor = data.train().cursor();
        if (!done()) run.note_environment();
        notify([&](Callback& callback) { callback.on_train_begin(training); });
        while (!done()) {
            const Clock::time_point epoch_start = Clock::now();
            const int64_t epoch = progress.cursor.epoch;
            step.model().train();
            run_epoch(epoch);
            finish_epoch(epoch, epoch_start);
            if (g_stop && !done()) interrupt();
        }
        if (!progress.stop.empty()) log_info("stopped early: " + progress.stop);
        notify([&](Callback& callback) { callback.on_train_end(training); });
        TrainResult result = finish_run(training, data, *best);
        result.seconds = seconds_since(start);
        result.stop_requested = g_stop != 0;
        g_stop = 0;
        return result;
    }
};

Trainer::Trainer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

Trainer::Trainer(TrainSettings settings, std::filesystem::path run) {
    RunFolder(run).require_new();
    require_writable_place(RunFolder(run).config());  // pictures are read for minutes before anything is written
    if (!settings.data.empty()) settings.data = std::filesystem::absolute(settings.data).lexically_normal().string();
    if (!settings.pretrained.empty())
        settings.pretrained = std::filesystem::absolute(settings.pretrained).lexically_normal().string();
    if (!settings.feature_cache.empty() && settings.feature_cache != "off")
        settings.feature_cache = std::filesystem::absolute(settings.feature_cache).lexically_normal().string();
    resolve_pretrained(settings);
    state_ = std::make_unique<State>(std::move(settings), std::move(run));
    state_->load_pretrained();
    state_->run.begin(state_->settings);
}

Trainer Trainer::resume(const std::filesystem::path& run) {
    const RunFolder folder(run);
    folder.require_begun();
    require_writable_place(folder.config());
    const TrainSettings settings = folder.settings();
    auto checkpoint = load_newest_checkpoint(folder.checkpoints());
    if (checkpoint && checkpoint->settings != settings.to_config().str())
        throw Error(folder.config().string(), "the settings differ from those of the checkpoint",
                    "undo the change, or start a new run with --out");
    auto state = std::make_unique<State>(settings, run);
    if (std::filesystem::exists(folder.events())) state->callbacks.add(std::make_unique<TensorBoardEvents>());
    if (checkpoint) {
        state->snapshot.restore(std::move(*checkpoint), run.string());
    } else {
        log_info("no checkpoint yet: starting from the beginning");
        folder.require_same_pretrained(settings);
        state->load_pretrained();
    }
    return Trainer(std::move(state));
}

Trainer& Trainer::add(std::unique_ptr<Callback> callback) {
    state_->callbacks.add(std::move(callback));
    return *this;
}

TrainResult Trainer::train() { return state_->train(); }
const TrainSettings& Trainer::settings() const { return state_->settings; }
Module& Trainer::model() { return state_->step.model(); }
void Trainer::request_stop() { g_stop = 1; }
bool Trainer::stop_requested() { return g_stop != 0; }

}  // namespace liven
