#include "liven/data/loader.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/loading/decode_frames.hpp"
#include "src/data/loading/epoch_order.hpp"
#include "src/data/loading/frame_cache.hpp"
#include "src/data/parallel.hpp"

namespace liven::data {
namespace {

void validate(const Dataset& dataset, const LoaderOptions& o) {
    if (dataset.samples.empty()) throw Error("loader", "there are no samples");
    if (o.batch < 1 || o.batch > 65'536)
        throw Error("loader", "expected a batch from 1 to 65536, but got " + std::to_string(o.batch));
    if (o.threads < 0 || o.threads > 1024)
        throw Error("loader", "expected 0 to 1024 threads, but got " + std::to_string(o.threads));
    if (o.prepare_threads < 0 || o.prepare_threads > 1024)
        throw Error("loader", "expected 0 to 1024 threads to prepare, but got " + std::to_string(o.prepare_threads));
    if (o.prefetch < 1 || o.prefetch > 1024)
        throw Error("loader", "expected 1 to 1024 batches ahead, but got " + std::to_string(o.prefetch));
    if (o.features &&
        o.features->values.bytes() < static_cast<size_t>(dataset.size() * o.features->sample.count()) * sizeof(float))
        throw Error("loader", "expected a row of features for each of " + std::to_string(dataset.size()) + " samples");
    o.preprocess.validate();
    o.augmentation.validate();
}

/// How many frames each sample has; 0: they are pictures.
int64_t frames_of(const Dataset& dataset) {
    const size_t frames = dataset.samples.front().clip.size();
    for (const Sample& sample : dataset.samples)
        if (sample.clip.size() != frames)
            throw Error("loader", "expected clips of " + std::to_string(frames) + " frames throughout, but " +
                                      sample.path.string() + " has " + std::to_string(sample.clip.size()));
    return static_cast<int64_t>(frames);
}

/// Frames of samples, one after the other: from the cache when they are there, else from their files.
class FrameSource {
public:
    FrameSource(const Dataset& dataset, const LoaderOptions& options, int64_t frames)
        : dataset_(dataset),
          preprocess_(options.preprocess),
          frame_bytes_(static_cast<size_t>(preprocess_.width) * static_cast<size_t>(preprocess_.height) * 3),
          sample_bytes_(frame_bytes_ * static_cast<size_t>(std::max<int64_t>(1, frames))),
          cache_(dataset.size(), sample_bytes_, options.cache_bytes, options.cache_folder) {}

    /// Decodes the sample into its slot, if it has one. Throws Error when it is broken.
    void fill(int64_t sample) {
        const std::vector<Image> frames = decoded(sample);
        if (sample >= cache_.slots()) return;
        for (size_t i = 0; i < frames.size(); ++i)
            std::memcpy(cache_.slot(sample) + i * frame_bytes_, frames[i].pixels.data(), frame_bytes_);
        ++cached_;
    }
    void get(int64_t sample, std::vector<Image>& frames) {
        if (sample >= cache_.slots()) {
            frames = decoded(sample);
            return;
        }
        frames.resize(sample_bytes_ / frame_bytes_);
        for (size_t i = 0; i < frames.size(); ++i) {
            frames[i].width = preprocess_.width;
            frames[i].height = preprocess_.height;
            const uint8_t* src = cache_.slot(sample) + i * frame_bytes_;
            frames[i].pixels.assign(src, src + frame_bytes_);
        }
        ++from_cache_;
    }
    Loader::Statistics statistics() const {
        return {.decoded = decoded_,
                .from_cache = from_cache_,
                .cached = cached_,
                .cache_bytes = cache_.bytes(),
                .waited = 0};
    }

private:
    std::vector<Image> decoded(int64_t sample) {
        ++decoded_;
        return decode_frames(dataset_.samples[static_cast<size_t>(sample)], preprocess_);
    }

    const Dataset& dataset_;
    const Preprocess& preprocess_;
    size_t frame_bytes_, sample_bytes_;
    FrameCache cache_;
    std::atomic<int64_t> decoded_{0}, from_cache_{0}, cached_{0};
};

/// A batch on its way: places are claimed one by one by whoever is free.
struct Pending {
    Batch batch;
    std::vector<Place> places;
    size_t claimed = 0, finished = 0;
    std::exception_ptr error;

    bool open() const { return claimed < places.size(); }
    bool ready() const { return finished == places.size(); }
};

}  // namespace

struct Loader::Engine {
    Engine(Dataset data, LoaderOptions o) : dataset(std::move(data)), options(std::move(o)) {
        validate(dataset, options);
        frames = frames_of(dataset);
        tame_opencv();
    }
    ~Engine() {
        {
            const std::lock_guard lock(mutex);
            stopping = true;
        }
        work_changed.notify_all();
        workers.clear();
    }

    void prepare(const ProgressCallback& progress) {
        if (prepared) return;
        std::vector<std::string> reasons(dataset.samples.size());
        if (!options.features) {
            source = std::make_unique<FrameSource>(dataset, options, frames);
            parallel_for(
                dataset.size(), options.prepare_threads,
                [&](int64_t i) {
                    try {
                        source->fill(i);
                    } catch (const Error& error) {
                        reasons[static_cast<size_t>(i)] = error.what();
                    }
                },
                progress);
        }
        usable.clear();
        broken.clear();
        for (int64_t i = 0; i < dataset.size(); ++i) {
            const std::string& reason = reasons[static_cast<size_t>(i)];
            if (reason.empty())
                usable.push_back(i);
            else
                broken.push_back({dataset.samples[static_cast<size_t>(i)].path.string(), reason});
        }
        if (usable.empty())
            throw Error("loader",
                        "none of the " + std::to_string(dataset.size()) + (frames == 0 ? " pictures" : " clips") +
                            " can be read",
                        "the first one: " + broken[0].reason);
        length = epoch_length(dataset, usable, options.balanced);
        batches = options.drop_last ? length / options.batch : (length + options.batch - 1) / options.batch;
        if (batches == 0)
            throw Error("loader", "a batch of " + std::to_string(options.batch) + " is more than the " +
                                      std::to_string(length) + " samples of an epoch, and drop_last leaves nothing");
        plan_epoch(0);
        prepared = true;
        for (int i = 0; i < options.threads; ++i) workers.emplace_back([this] { work(); });
    }

    std::optional<Batch> next() {
        prepare({});
        std::unique_lock lock(mutex);
        if (cursor.batch == batches) {
            cursor = {cursor.epoch + 1, 0};
            return {};
        }
        if (paused) {
            paused = false;
            work_changed.notify_all();
        }
        if (queue.empty()) plan_batch();
        Pending& front = *queue.front();
        if (options.threads == 0)
            while (front.open()) step(front, lock);
        else
            wait_for(front, lock);
        const std::unique_ptr<Pending> done = std::move(queue.front());
        queue.pop_front();
        work_changed.notify_all();
        if (done->error) {
            restart(cursor, lock);
            paused = true;  // the same batch is tried again when it is asked for again, not before
            std::rethrow_exception(done->error);
        }
        ++cursor.batch;
        return std::move(done->batch);
    }

    void seek(Cursor target) {
        prepare({});
        if (target.epoch < 0 || target.batch < 0 || target.batch > batches)
            throw Error("loader",
                        "there is no batch " + std::to_string(target.batch) + " of epoch " +
                            std::to_string(target.epoch) + ": an epoch has " + std::to_string(batches),
                        "have the data or the batch size changed since the checkpoint?");
        std::unique_lock lock(mutex);
        restart(target, lock);
    }

    /// Throws away what is under way and plans on from `target`.
    void restart(Cursor target, std::unique_lock<std::mutex>& lock) {
        paused = true;
        batch_ready.wait(lock, [this] { return in_work == 0; });
        queue.clear();
        cursor = target;
        plan_epoch(target.batch == batches ? target.epoch + 1 : target.epoch);
        plan_index = target.batch == batches ? 0 : target.batch;
        paused = false;
        work_changed.notify_all();
    }

    // With the mutex held, or before there are threads:

    void plan_epoch(int64_t epoch) {
        order = epoch_order(dataset, usable, options.seed, epoch, options.shuffle, options.balanced);
        planned_epoch = epoch;
        plan_index = 0;
    }

    /// Appends the next batch to the queue, nothing of it worked on yet.
    void plan_batch() {
        if (plan_index == batches) plan_epoch(planned_epoch + 1);
        const int64_t first = plan_index * options.batch, count = std::min(options.batch, length - first);
        auto pending = std::make_unique<Pending>();
        pending->places.assign(order.begin() + first, order.begin() + first + count);
        Batch& b = pending->batch;
        b.count = count;
        b.height = options.preprocess.height;
        b.width = options.preprocess.width;
        b.frames = frames;
        if (options.features) b.features = options.features->sample;
        b.epoch = planned_epoch;
        b.index = plan_index++;
        b.dtype = options.pixels && !options.features && !options.augmentation.active() ? DType::u8 : DType::f32;
        b.images = Buffer(static_cast<size_t>(b.shape().count()) * size_of(b.dtype));
        b.labels = Buffer(static_cast<size_t>(count) * sizeof(int32_t));
        for (int64_t i = 0; i < count; ++i) {
            const int64_t sample = pending->places[static_cast<size_t>(i)].sample;
            b.samples.push_back(sample);
            b.labels.as<int32_t>()[i] = static_cast<int32_t>(dataset.samples[static_cast<size_t>(sample)].label);
        }
        queue.push_back(std::move(pending));
    }

    Pending* open_batch() {
        for (const auto& pending : queue)
            if (pending->open()) return pending.get();
        return nullptr;
    }

    bool work_to_do() {
        if (paused) return false;
        return open_batch() != nullptr || static_cast<int>(queue.size()) <= options.prefetch;
    }

    /// Claims one place, makes its picture without the mutex, and books it.
    void step(Pending& pending, std::unique_lock<std::mutex>& lock) {
        const size_t i = pending.claimed++;
        ++in_work;
        lock.unlock();
        std::exception_ptr error;
        try {
            make(pending, i);
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        --in_work;
        ++pending.finished;
        if (error && !pending.error) pending.error = error;
        if (pending.ready() || in_work == 0) batch_ready.notify_all();
    }

    void make(const Pending& pending, size_t i) {
        thread_local std::vector<Image> images;
        const Place place = pending.places[i];
        if (options.features) {
            const auto row = static_cast<size_t>(options.features->sample.count());
            const float* src = options.features->values.as<const float>() + static_cast<size_t>(place.sample) * row;
            std::copy(src, src + row, pending.batch.images.as<float>() + i * row);
            return;
        }
        const size_t values =
            static_cast<size_t>(options.preprocess.width) * static_cast<size_t>(options.preprocess.height) * 3;
        source->get(place.sample, images);
        const size_t first = i * images.size() * values;
        if (pending.batch.dtype == DType::u8) {
            for (size_t k = 0; k < images.size(); ++k)
                options.preprocess.to_pixels(images[k], pending.batch.images.as<uint8_t>() + first + k * values);
            return;
        }
        float* dst = pending.batch.images.as<float>() + first;
        const bool changed = options.augmentation.active();
        const uint64_t key = augmentation_key(options.seed, pending.batch.epoch, place.sample, place.repeat);
        const Draw drawn = changed ? draw(options.augmentation, key) : Draw();
        for (const Image& image : images) {
            if (changed)
                augment(image, drawn, options.preprocess, dst);
            else
                options.preprocess.to_float(image, dst);
            dst += values;
        }
    }

    /// How often each channel (red first) has each value, over all usable frames.
    std::array<std::array<int64_t, 256>, 3> histogram() {
        if (!source) throw Error("loader", "features have no pixels");
        std::array<std::array<int64_t, 256>, 3> counts{};
        std::mutex adding;
        parallel_for(static_cast<int64_t>(usable.size()), options.prepare_threads, [&](int64_t i) {
            std::vector<Image> images;
            source->get(usable[static_cast<size_t>(i)], images);
            std::array<std::array<int64_t, 256>, 3> own{};
            for (const Image& image : images)
                for (size_t k = 0; k < image.pixels.size(); k += 3)
                    for (size_t c = 0; c < 3; ++c) ++own[c][image.pixels[k + c]];
            const std::lock_guard lock(adding);
            for (size_t c = 0; c < 3; ++c)
                for (size_t v = 0; v < 256; ++v) counts[c][v] += own[c][v];
        });
        return counts;
    }

    void normalize(const Loader::Moments& moments) {
        Preprocess changed = options.preprocess;
        changed.mean = moments.mean;
        changed.std = moments.std;
        changed.validate();
        if (!prepared) {
            options.preprocess = changed;
            return;
        }
        std::unique_lock lock(mutex);
        paused = true;
        batch_ready.wait(lock, [this] { return in_work == 0; });
        options.preprocess = changed;
        restart(cursor, lock);
    }

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            work_changed.wait(lock, [this] { return stopping || work_to_do(); });
            if (stopping) return;
            if (!open_batch()) try {
                    plan_batch();
                    work_changed.notify_all();  // a new batch is work for the others too
                } catch (...) {                 // no memory: let the caller know at this batch
                    auto failed = std::make_unique<Pending>();
                    failed->error = std::current_exception();
                    queue.push_back(std::move(failed));
                    batch_ready.notify_all();
                    paused = true;
                    continue;
                }
            step(*open_batch(), lock);
        }
    }

    void wait_for(Pending& front, std::unique_lock<std::mutex>& lock) {
        if (front.ready()) return;
        work_changed.notify_all();
        const auto start = std::chrono::steady_clock::now();
        batch_ready.wait(lock, [&] { return front.ready(); });
        waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }

    const Dataset dataset;
    LoaderOptions options;
    int64_t frames = 0;
    bool prepared = false;
    std::unique_ptr<FrameSource> source;
    std::vector<int64_t> usable;
    std::vector<BrokenFile> broken;
    int64_t length = 0, batches = 0;

    std::mutex mutex;
    std::condition_variable work_changed, batch_ready;
    std::deque<std::unique_ptr<Pending>> queue;
    std::vector<Place> order;
    int64_t planned_epoch = 0, plan_index = 0;
    Cursor cursor;
    int in_work = 0;
    bool stopping = false, paused = false;
    double waited = 0;
    std::vector<std::jthread> workers;  // last: they go first
};

Loader::Loader(Dataset dataset, LoaderOptions options)
    : engine_(std::make_unique<Engine>(std::move(dataset), std::move(options))) {}
Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;
Loader& Loader::operator=(Loader&&) noexcept = default;

void Loader::prepare(const ProgressCallback& progress) { engine_->prepare(progress); }
std::optional<Batch> Loader::next() { return engine_->next(); }

void Loader::set_cache_bytes(size_t bytes) {
    if (engine_->prepared) throw Error("loader", "the cache has been filled already", "set its size before prepare");
    engine_->options.cache_bytes = bytes;
}

int64_t Loader::batches() {
    engine_->prepare({});
    return engine_->batches;
}

int64_t Loader::samples_per_epoch() {
    engine_->prepare({});
    return engine_->options.drop_last ? engine_->batches * engine_->options.batch : engine_->length;
}

Cursor Loader::cursor() const { return engine_->cursor; }
void Loader::seek(Cursor cursor) { engine_->seek(cursor); }
const Dataset& Loader::dataset() const { return engine_->dataset; }
const LoaderOptions& Loader::options() const { return engine_->options; }
const std::vector<BrokenFile>& Loader::broken() const { return engine_->broken; }
const std::vector<int64_t>& Loader::usable() const { return engine_->usable; }

Loader::Moments Loader::moments() {
    engine_->prepare({});
    const auto counts = engine_->histogram();
    const Preprocess& p = engine_->options.preprocess;
    Moments out;
    for (size_t c = 0; c < 3; ++c) {
        double count = 0, sum = 0, squares = 0;
        for (size_t v = 0; v < 256; ++v) {
            const auto times = static_cast<double>(counts[c][v]), value = static_cast<double>(v);
            count += times;
            sum += times * value;
            squares += times * value * value;
        }
        const double mean = sum / count, variance = std::max(0.0, squares / count - mean * mean);
        const size_t place = p.colour_order == ColourOrder::rgb ? c : 2 - c;
        // A channel that never changes is left as it is: there is nothing to divide by.
        const double deviation = variance > 0 ? std::sqrt(variance) : 1 / std::abs(double{p.scale});
        out.mean[place] = static_cast<float>(mean * double{p.scale});
        out.std[place] = static_cast<float>(deviation * std::abs(double{p.scale}));
    }
    return out;
}
void Loader::normalize(const Moments& moments) { engine_->normalize(moments); }

Loader::Statistics Loader::statistics() const {
    if (!engine_->source) return {};
    Statistics s = engine_->source->statistics();
    const std::lock_guard lock(engine_->mutex);
    s.waited = engine_->waited;
    return s;
}

}  // namespace liven::data
