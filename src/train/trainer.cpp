#include "liven/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"
#include "liven/core/progress.hpp"
#include "liven/data/split.hpp"
#include "liven/graph/plan.hpp"
#include "liven/io/file.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/models/registry.hpp"
#include "liven/ops/loss.hpp"
#include "liven/optim/accumulator.hpp"
#include "liven/optim/optimizer.hpp"
#include "liven/train/checkpoint.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/model_file.hpp"
#include "pictures.hpp"

namespace liven {
namespace {

volatile std::sig_atomic_t g_stop = 0;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A hash of what the data set is: paths, labels and splits of its samples.
std::string fingerprint(const data::Dataset& set) {
    uint64_t hash = 0xcbf29ce484222325u;
    const auto add = [&](std::string_view text) {
        for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        hash = (hash ^ 0xffu) * 0x100000001b3u;
    };
    for (const data::Sample& sample : set.samples) {
        add(sample.path.filename().string());
        add(data::name_of(sample.label));
        add(data::name_of(sample.split));
    }
    char text[40];
    std::snprintf(text, sizeof text, "%016llx-%lld", static_cast<unsigned long long>(hash),
                  static_cast<long long>(set.size()));
    return text;
}

std::unique_ptr<Optimizer> make_optimizer(const TrainSettings& s, std::span<const Parameter> parameters) {
    const auto rate = static_cast<float>(s.learning_rate), clip = static_cast<float>(s.clip_norm),
               decay = static_cast<float>(s.weight_decay);
    if (s.optimizer == "sgd")
        return std::make_unique<Sgd>(parameters, Sgd::Options{.learning_rate = rate,
                                                              .clip_norm = clip,
                                                              .weight_decay = decay,
                                                              .momentum = static_cast<float>(s.momentum)});
    return std::make_unique<Adam>(
        parameters,
        Adam::Options{
            .learning_rate = rate, .clip_norm = clip, .weight_decay = decay, .decoupled = s.optimizer == "adamw"});
}

Schedule make_schedule(const TrainSettings& s, int64_t updates) {
    const auto rate = static_cast<float>(s.learning_rate);
    Schedule schedule = Schedule::constant(rate);
    if (s.schedule == "cosine") schedule = Schedule::cosine({.rate = rate, .steps = std::max<int64_t>(1, updates)});
    if (s.schedule == "step")
        schedule = Schedule::multi_step({.rate = rate, .milestones = {updates / 2, updates * 3 / 4}});
    return s.warm_up > 0 ? schedule.with_warm_up(s.warm_up) : schedule;
}

double available_memory() {
    std::ifstream info("/proc/meminfo");
    std::string name;
    double kilobytes = 0;
    while (info >> name) {
        if (name == "MemAvailable:" && info >> kilobytes) return kilobytes * 1024.0;
        info.ignore(256, '\n');
    }
    return 0;
}

int64_t correct_predictions(const Tensor& logits, const data::Batch& batch) {
    const auto values = logits.data();
    const int32_t* labels = batch.labels.as<int32_t>();
    const auto classes = static_cast<size_t>(logits.shape()[1]);
    int64_t correct = 0;
    for (size_t i = 0; i < static_cast<size_t>(batch.count); ++i) {
        const float* row = values.data() + i * classes;
        correct += std::max_element(row, row + classes) - row == labels[i] ? 1 : 0;
    }
    return correct;
}

void add_prefixed(NamedTensors& into, const std::string& prefix, std::span<const State> states) {
    for (const State& state : states)
        into.emplace(prefix + std::string(state.name()), HostTensor(state.shape(), state.tensor().data()));
}

void take_prefixed(const NamedTensors& from, const std::string& prefix, std::span<const State> states,
                   const std::string& where) {
    for (State state : states) {
        const auto found = from.find(prefix + std::string(state.name()));
        if (found == from.end() || !(found->second.shape == state.shape()))
            throw Error(where, "the checkpoint lacks " + prefix + std::string(state.name()));
        state.assign(found->second.values<float>());
    }
}

}  // namespace

struct Trainer::State {
    TrainSettings settings;
    std::filesystem::path run;
    data::Dataset set;
    data::SplitRecord split;
    std::string data_fingerprint;
    std::unique_ptr<Module> model;
    std::unique_ptr<Optimizer> optimizer;
    std::unique_ptr<GradientAccumulator> accumulator;
    std::unique_ptr<data::Loader> train_loader, validation_loader;
    Schedule schedule;
    ReduceOnPlateau plateau;
    TrainProgress progress;
    NamedTensors best;
    Tensor class_weights;
    std::unique_ptr<JsonLines> log;

    std::filesystem::path checkpoints() const { return run / "checkpoints"; }
    int64_t updates_per_epoch() { return (train_loader->batches() + settings.accumulate - 1) / settings.accumulate; }

    void open_data() {
        set = data::open_dataset(settings.data);
        data::SplitOptions options{.seed = settings.seed, .allow_leak = settings.allow_leak};
        for (const auto choice :
             {data::GroupBy::automatic, data::GroupBy::subject, data::GroupBy::video, data::GroupBy::image})
            if (data::name_of(choice) == settings.group_by) options.group_by = choice;
        split = data::assign_splits(set, options);
        for (const std::string& warning : split.warnings) log_warning(warning);
        data_fingerprint = fingerprint(set);
        const data::Dataset train = set.only(data::Split::train), validation = set.only(data::Split::val);
        if (train.samples.empty() || validation.samples.empty())
            throw Error(settings.data, "expected samples for training and validation, got " +
                                           std::to_string(train.size()) + " and " + std::to_string(validation.size()));
        train_loader = std::make_unique<data::Loader>(train, data::LoaderOptions{.batch = settings.batch,
                                                                                 .preprocess = settings.preprocess(),
                                                                                 .augmentation = settings.augment(),
                                                                                 .seed = settings.seed,
                                                                                 .balanced = settings.balanced,
                                                                                 .prepare_threads = thread_count()});
        validation_loader =
            std::make_unique<data::Loader>(evaluation_loader(validation, settings.preprocess(), settings.batch));
    }

    void build() {
        model = make_model(settings.model, settings.model_options);
        model->seed(settings.seed);
        model->build({settings.batch, settings.size, settings.size, 3});
        optimizer = make_optimizer(settings, model->parameters());
        if (settings.accumulate > 1) accumulator = std::make_unique<GradientAccumulator>(model->parameters());
        if (settings.class_weights) set_class_weights();
        progress.learning_rate = static_cast<float>(settings.learning_rate);
    }

    void set_class_weights() {
        const data::Dataset& train = train_loader->dataset();
        const auto total = static_cast<float>(train.size());
        const auto weight = [&](data::Label label) {
            return total / (2.0f * static_cast<float>(std::max<int64_t>(1, train.count(label))));
        };
        class_weights = Tensor::from({weight(data::Label::bonafide), weight(data::Label::attack)}, {2});
    }

    Tensor loss_of(const Tensor& logits, const Tensor& labels) {
        Tensor loss = cross_entropy(
            logits, labels,
            {.label_smoothing = static_cast<float>(settings.label_smoothing), .class_weights = class_weights});
        const Tensor penalty = l2_penalty(model->parameters());
        return penalty.defined() ? loss + penalty : loss;
    }

    /// What a step needs beyond what is there already, from the plan it will run.
    double step_memory() {
        const Shape shape{settings.batch, settings.size, settings.size, 3};
        const std::vector<int32_t> classes(static_cast<size_t>(settings.batch), 0);
        const Tensor loss =
            loss_of((*model)(Tensor::zeros(shape)), Tensor::from(std::span<const int32_t>(classes), {settings.batch}));
        model->set_forward_count(model->forward_count() - 1);
        const Gradients all = gradients(loss, model->parameters());
        std::vector<Value> values{loss.value()};
        for (size_t i = 0; i < all.size(); ++i) values.push_back(all.value(i));
        const PlanMemory memory = make_plan(Engine::current().graph_of(values), Engine::current().options())->memory();
        return static_cast<double>(memory.arena_bytes + memory.result_bytes + memory.scratch_bytes * thread_count());
    }

    void announce() {
        const ModelInfo& info = model_info(settings.model);
        int64_t parameters = 0;
        for (const liven::State& state : model->states()) parameters += state.shape().count();
        const double step = step_memory(), free = available_memory();
        char line[256];
        std::snprintf(line, sizeof line, "%s  %lld parameters  step needs %.0f MB  %s, %d threads",
                      std::string(info.title).c_str(), static_cast<long long>(parameters), step * 1e-6,
                      std::string(name_of(active_isa())).c_str(), thread_count());
        log_info(line);
        if (free > 0 && step > free)
            throw Error("memory",
                        "a step needs " + std::to_string(static_cast<int64_t>(step * 1e-6)) +
                            " MB, but the machine has " + std::to_string(static_cast<int64_t>(free * 1e-6)) +
                            " MB free",
                        "use a smaller --batch (with accumulate for the same effect) or --size");
        std::snprintf(line, sizeof line, "data  %lld train / %lld val / %lld test images, %lld groups by %s%s",
                      static_cast<long long>(split.train), static_cast<long long>(split.val),
                      static_cast<long long>(split.test), static_cast<long long>(split.groups),
                      std::string(data::name_of(split.group_by)).c_str(),
                      split.leak_reason.empty() ? ", none in two splits" : ", LEAKING (allowed)");
        log_info(line);
    }

    void prepare_data() {
        {
            const int64_t count = train_loader->dataset().size();
            Progress bar({.title = "reading", .total = count, .unit = "img"});
            int64_t shown = 0;
            train_loader->prepare([&](int64_t done, int64_t) {
                bar.advance(done - shown);
                shown = done;
            });
        }
        validation_loader->prepare();
        for (const data::Loader* loader : {train_loader.get(), validation_loader.get()})
            for (const data::BrokenFile& file : loader->broken())
                log_warning("skipped " + file.path + ": " + file.reason);
        schedule = make_schedule(settings, settings.epochs * updates_per_epoch());
    }

    void write_checkpoint() {
        progress.optimizer_steps = optimizer->steps();
        progress.forward_count = model->forward_count();
        progress.cursor = train_loader->cursor();
        progress.plateau = plateau.state();
        Checkpoint checkpoint{.progress = progress,
                              .isa = std::string(name_of(active_isa())),
                              .settings = settings.to_config().str(),
                              .data = data_fingerprint,
                              .tensors = {}};
        add_prefixed(checkpoint.tensors, "model/", model->states());
        add_prefixed(checkpoint.tensors, "optimizer/", optimizer->states());
        for (const auto& [name, tensor] : best) checkpoint.tensors.emplace("best/" + name, tensor);
        save_checkpoint(checkpoints(), checkpoint);
    }

    void restore(const Checkpoint& checkpoint) {
        const std::string where = run.string();
        if (checkpoint.data != data_fingerprint)
            throw Error(where, "the data set is not the one this run was started with",
                        "restore it, or start a new run with --out");
        if (checkpoint.isa != name_of(active_isa()))
            log_warning("this run was started with " + checkpoint.isa + " kernels and goes on with " +
                        std::string(name_of(active_isa())) + ": the result will not be bit-identical. Hint: --isa " +
                        checkpoint.isa);
        take_prefixed(checkpoint.tensors, "model/", model->states(), where);
        take_prefixed(checkpoint.tensors, "optimizer/", optimizer->states(), where);
        for (const auto& [name, tensor] : checkpoint.tensors)
            if (name.rfind("best/", 0) == 0) best.emplace(name.substr(5), tensor);
        progress = checkpoint.progress;
        optimizer->set_steps(progress.optimizer_steps);
        model->set_forward_count(progress.forward_count);
        plateau.restore(progress.plateau);
        train_loader->seek(progress.cursor);
        drop_later_log_lines();
    }

    /// Lines written after the checkpoint will be written again.
    void drop_later_log_lines() {
        const std::filesystem::path path = run / "log.jsonl";
        std::vector<Json> kept;
        if (std::filesystem::exists(path))
            for (Json& line : read_json_lines(path))
                if (!line.find("step") || line.at("step").integer() <= progress.step) kept.push_back(std::move(line));
        std::string text;
        for (const Json& line : kept) text += line.str() + "\n";
        write_file_atomically(path, text);
    }

    float current_rate() const {
        const float scheduled = schedule(progress.step);
        return settings.schedule == "plateau"
                   ? progress.learning_rate * scheduled / static_cast<float>(settings.learning_rate)
                   : scheduled;
    }

    /// One update, from one batch or several micro-batches. False at the end of the epoch.
    bool update(double& loss_value, int64_t& images) {
        loss_value = 0;
        images = 0;
        int64_t micro = 0;
        for (; micro < settings.accumulate; ++micro) {
            const auto batch = train_loader->next();
            if (!batch) break;
            const Tensor x = Tensor::share(batch->images, batch->shape());
            const Tensor y = Tensor::share(batch->labels, {batch->count}, DType::i32);
            const Tensor logits = (*model)(x);
            const Tensor loss = loss_of(logits, y);
            optimizer->set_learning_rate(current_rate());
            if (accumulator)
                accumulator->add(gradients(loss, model->parameters()));
            else
                optimizer->step(gradients(loss, model->parameters()));
            if (!accumulator && !optimizer->last_step_applied()) explain_anomaly(x, y);
            loss_value += static_cast<double>(loss.item()) * static_cast<double>(batch->count);
            images += batch->count;
            progress.epoch_correct += correct_predictions(logits, *batch);
        }
        if (micro == 0) return false;
        if (accumulator) optimizer->step(*accumulator);
        if (!optimizer->last_step_applied())
            throw Error("training", "step " + std::to_string(progress.step + 1) + ": the gradients are not finite",
                        last_good());
        progress.epoch_loss += loss_value;
        progress.epoch_images += images;
        loss_value /= static_cast<double>(images);
        ++progress.step;
        return true;
    }

    std::string last_good() const { return "the last good checkpoint is in " + checkpoints().string(); }

    /// Repeats the batch that made a NaN without fusion, so that the operation can be named.
    [[noreturn]] void explain_anomaly(const Tensor& x, const Tensor& y) {
        const std::string where = "step " + std::to_string(progress.step + 1) + ": ";
        model->set_forward_count(model->forward_count() - 1);
        Engine::current().set_detect_anomaly(true);
        std::string what = "the loss or its gradients are not finite";
        try {
            const Tensor loss = loss_of((*model)(x), y);
            const Gradients all = gradients(loss, model->parameters());
            std::vector<Value> values{loss.value()};
            for (size_t i = 0; i < all.size(); ++i) values.push_back(all.value(i));
            Engine::current().evaluate(values);
        } catch (const Error& error) {
            what = error.what();
        }
        Engine::current().set_detect_anomaly(false);
        throw Error("training", where + what, last_good());
    }

    void run_epoch(int64_t epoch) {
        const int64_t updates = updates_per_epoch(), first = train_loader->cursor().batch / settings.accumulate;
        char title[64];
        std::snprintf(title, sizeof title, "epoch %2lld/%lld", static_cast<long long>(epoch + 1),
                      static_cast<long long>(settings.epochs));
        Progress bar({.title = title,
                      .total = updates - first,
                      .unit = "img",
                      .items_per_step = static_cast<double>(settings.batch * settings.accumulate)});
        double loss = 0;
        int64_t images = 0;
        for (int64_t i = first; i < updates && update(loss, images); ++i) {
            bar.update(
                {{"loss", progress.epoch_loss / static_cast<double>(progress.epoch_images)},
                 {"acc", static_cast<double>(progress.epoch_correct) / static_cast<double>(progress.epoch_images)}});
            if (settings.checkpoint_every > 0 && progress.step % settings.checkpoint_every == 0 && i + 1 < updates)
                write_checkpoint();
            if (g_stop && i + 1 < updates) {
                write_checkpoint();
                throw Interrupted{.step = progress.step, .run = run};
            }
        }
        // The loader begins the next epoch with its next batch; asking once more ends this one.
        if (train_loader->cursor().epoch == epoch) static_cast<void>(train_loader->next());
        bar.finish();
    }

    void finish_epoch(int64_t epoch, double seconds) {
        const Scored validation = score(*model, *validation_loader);
        const Threshold threshold = minimum_acer(validation.scores);
        const bool better = progress.best_epoch < 0 || validation.loss < progress.best_loss;
        if (better) {
            progress.best_loss = validation.loss;
            progress.best_epoch = epoch;
            progress.epochs_without_better = 0;
            best = copy_states(*model);
        } else {
            ++progress.epochs_without_better;
        }
        const float rate = current_rate();
        if (settings.schedule == "plateau")
            progress.learning_rate = plateau.update(validation.loss, progress.learning_rate);
        const auto images = static_cast<double>(std::max<int64_t>(1, progress.epoch_images));
        char line[200];
        std::snprintf(line, sizeof line, "             val loss %.4f  acc %.4f  ACER %s%s", validation.loss,
                      validation.accuracy, threshold.value.str().c_str(), better ? "   best so far" : "");
        log_info(line);
        log->append(Json::object({{"epoch", epoch + 1},
                                  {"step", progress.step},
                                  {"loss", progress.epoch_loss / images},
                                  {"accuracy", static_cast<double>(progress.epoch_correct) / images},
                                  {"val_loss", validation.loss},
                                  {"val_accuracy", validation.accuracy},
                                  {"val_acer", threshold.value ? Json(threshold.value.value()) : Json(nullptr)},
                                  {"learning_rate", rate},
                                  {"gradient_norm", optimizer->gradient_norm()},
                                  {"images", progress.epoch_images},
                                  {"seconds", seconds}}));
        progress.epoch_loss = 0;
        progress.epoch_images = progress.epoch_correct = 0;
    }

    TrainResult finish(double seconds) {
        load_states(*model, best, (run / "checkpoints").string());
        const Scored validation = score(*model, *validation_loader);
        const Threshold threshold = minimum_acer(validation.scores);
        const ScoreHistogram histogram = score_histogram(validation.scores, 50);
        ModelFileInfo info;
        info.model = settings.model;
        info.options = model_info(settings.model).options(settings.model_options);
        info.input = {settings.size, settings.size, 3};
        info.preprocess = settings.preprocess();
        info.threshold = {
            .value = threshold.threshold.value_or(0.5),
            .rule = threshold.threshold ? "minimum validation ACER" : "none: " + threshold.threshold.reason(),
            .bonafide_histogram = histogram.bonafide,
            .attack_histogram = histogram.attack};
        info.training = Json::object({{"recipe", settings.recipe},
                                      {"steps", progress.step},
                                      {"best_epoch", progress.best_epoch + 1},
                                      {"seed", settings.seed},
                                      {"split", Json::parse(split.to_json())},
                                      {"allow_leak", settings.allow_leak}});
        TrainResult result;
        result.model_file = run / "model.safetensors";
        result.steps = progress.step;
        result.epochs = train_loader->cursor().epoch;
        result.best_validation_loss = progress.best_loss;
        result.threshold = info.threshold.value;
        result.validation = pad_report(validation.scores, info.threshold.value);
        result.seconds = seconds;
        save_model(result.model_file, *model, info);
        const data::Dataset test = set.only(data::Split::test);
        if (!test.samples.empty()) {
            data::Loader loader = evaluation_loader(test, settings.preprocess(), settings.batch);
            const Scored scored = score(*model, loader);
            result.test = pad_report(scored.scores, info.threshold.value);
            write_faces(run / "faces.png", test, scored, info.threshold.value);
        } else {
            write_faces(run / "faces.png", validation_loader->dataset(), validation, info.threshold.value);
        }
        write_curves(run / "curves.svg", read_json_lines(run / "log.jsonl"));
        return result;
    }

    bool done() const {
        return progress.cursor.epoch >= settings.epochs ||
               (settings.patience > 0 && progress.epochs_without_better >= settings.patience);
    }

    TrainResult train() {
        g_stop = 0;
        const Clock::time_point start = Clock::now();
        log = std::make_unique<JsonLines>(run / "log.jsonl");
        for (progress.cursor = train_loader->cursor(); !done();) {
            const Clock::time_point before = Clock::now();
            const int64_t epoch = progress.cursor.epoch;
            model->train();
            run_epoch(epoch);
            finish_epoch(epoch, seconds_since(before));
            write_checkpoint();
            if (g_stop && !done()) throw Interrupted{.step = progress.step, .run = run};
        }
        if (settings.patience > 0 && progress.cursor.epoch < settings.epochs)
            log_info("stopped early: no better validation loss for " + std::to_string(settings.patience) + " epochs");
        return finish(seconds_since(start));
    }
};

Trainer::Trainer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

Trainer::Trainer(TrainSettings settings, std::filesystem::path run) : state_(std::make_unique<State>()) {
    settings.validate();
    State& s = *state_;
    s.settings = std::move(settings);
    s.run = std::move(run);
    if (std::filesystem::exists(s.run / "config.toml"))
        throw Error(s.run.string(), "there is a run already", "go on with it by --resume, or choose another --out");
    s.open_data();
    s.build();
    s.announce();
    s.prepare_data();
    std::filesystem::create_directories(s.run);
    s.settings.data = std::filesystem::absolute(s.settings.data).lexically_normal().string();
    s.settings.to_config().write(s.run / "config.toml");
}

Trainer Trainer::resume(const std::filesystem::path& run) {
    auto state = std::make_unique<State>();
    state->run = run;
    if (!std::filesystem::exists(run / "config.toml"))
        throw Error(run.string(), "there is no run here: config.toml is missing",
                    "--resume takes the folder given to --out");
    const auto checkpoint = load_newest_checkpoint(run / "checkpoints");
    const Config config = Config::read(run / "config.toml");
    state->settings = TrainSettings{};
    state->settings.read(config);
    if (checkpoint && checkpoint->settings != state->settings.to_config().str())
        throw Error((run / "config.toml").string(), "the settings differ from those of the checkpoint",
                    "undo the change, or start a new run with --out");
    state->open_data();
    state->build();
    state->announce();
    state->prepare_data();
    if (checkpoint)
        state->restore(*checkpoint);
    else
        log_info("no checkpoint yet: starting from the beginning");
    return Trainer(std::move(state));
}

TrainResult Trainer::train() { return state_->train(); }
void Trainer::request_stop() { g_stop = 1; }

}  // namespace liven
