#include "training_data.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/core/progress.hpp"
#include "liven/data/clip.hpp"
#include "liven/train/evaluate.hpp"
#include "src/core/fnv.hpp"

namespace liven {
namespace {

std::string fingerprint_of(const data::Dataset& set) {
    uint64_t hash = fnv_basis;
    const auto add = [&](std::string_view text) { hash = fnv1a("\xff", fnv1a(text, hash)); };
    for (const data::Sample& sample : set.samples) {
        add(sample.path.filename().string());
        add(data::name_of(sample.label));
        add(data::name_of(sample.split));
        for (const data::Frame& frame : sample.clip) {
            add(frame.path.filename().string());
            add(std::to_string(frame.number));
        }
    }
    char text[40];
    std::snprintf(text, sizeof text, "%016llx-%lld", static_cast<unsigned long long>(hash),
                  static_cast<long long>(set.size()));
    return text;
}

data::SplitOptions split_options(const TrainSettings& settings) {
    return {
        .seed = settings.seed, .group_by = data::group_by_from(settings.group_by), .allow_leak = settings.allow_leak};
}

data::LoaderOptions loader_options(const TrainSettings& settings) {
    return {.batch = settings.batch,
            .preprocess = settings.preprocess(),
            .augmentation = settings.augment(),
            .seed = settings.seed,
            .balanced = settings.balanced,
            .drop_last = settings.drop_last,
            .pixels = true,
            .prepare_threads = thread_count()};
}

double cache_bytes_of(const data::Loader& loader) {
    const data::Preprocess& p = loader.options().preprocess;
    const auto frames = static_cast<double>(std::max<size_t>(1, loader.dataset().samples.front().clip.size()));
    const double frame = 3.0 * frames * p.width * p.height;
    return std::min(frame * static_cast<double>(loader.dataset().size()),
                    static_cast<double>(loader.options().cache_bytes));
}

/// The data set without the samples that the loader found broken.
data::Dataset readable(data::Loader& loader) {
    data::Dataset out = loader.dataset();
    std::vector<data::Sample> kept;
    for (int64_t index : loader.usable()) kept.push_back(out.samples[static_cast<size_t>(index)]);
    out.samples = std::move(kept);
    return out;
}

/// A loader of rows that stands where the loader of pictures stood.
std::unique_ptr<data::Loader> with_features(data::Loader& pictures, data::FeatureTable table) {
    data::LoaderOptions options = pictures.options();
    options.features = std::make_shared<const data::FeatureTable>(std::move(table));
    auto loader = std::make_unique<data::Loader>(readable(pictures), options);
    loader->seek(pictures.cursor());
    return loader;
}

}  // namespace

data::Dataset samples_of(const data::Dataset& part, const TrainSettings& settings) {
    if (part.samples.empty()) return part;
    data::Dataset seen = settings.frames == 0 ? data::pictures_of(part, settings.clips_per_video, thread_count())
                                              : data::clips_of(part, {.frames = settings.frames,
                                                                      .stride = settings.clip_stride,
                                                                      .per_video = settings.clips_per_video,
                                                                      .threads = thread_count()});
    for (size_t i = part.skipped.size(); i < seen.skipped.size(); ++i) log_warning("skipped " + seen.skipped[i]);
    return seen;
}

TrainingData::TrainingData(const TrainSettings& settings)
    : settings_(settings), set_(data::open_dataset(settings.data)) {
    split_ = data::assign_splits(set_, split_options(settings));
    for (const std::string& warning : split_.warnings) log_warning(warning);
    const data::Dataset train = samples_of(set_.only(data::Split::train), settings),
                        validation = samples_of(set_.only(data::Split::val), settings);
    fingerprint_ = settings.frames == 0 ? fingerprint_of(set_) : fingerprint_of(train) + fingerprint_of(validation);
    if (train.samples.empty() || validation.samples.empty())
        throw Error(settings.data, "expected samples for training and validation, got " + std::to_string(train.size()) +
                                       " and " + std::to_string(validation.size()));
    train_ = std::make_unique<data::Loader>(train, loader_options(settings));
    validation_ = std::make_unique<data::Loader>(evaluation_loader(validation, settings.preprocess(), settings.batch));
}

void TrainingData::prepare() {
    {
        Progress bar({.title = "reading", .total = train_->dataset().size(), .unit = "img"});
        int64_t shown = 0;
        train_->prepare([&](int64_t done, int64_t) {
            bar.advance(done - shown);
            shown = done;
        });
    }
    if (settings_.normalization == "z-score") train_->normalize(train_->moments());
    validation_->normalize({.mean = preprocess().mean, .std = preprocess().std});
    validation_->prepare();
    for (const data::Loader* loader : {train_.get(), validation_.get()})
        for (const data::BrokenFile& file : loader->broken()) log_warning("skipped " + file.str());
}

void TrainingData::limit_cache(double bytes) {
    for (data::Loader* loader : {train_.get(), validation_.get()}) {
        const double share = std::min(bytes, cache_bytes_of(*loader));
        loader->set_cache_bytes(static_cast<size_t>(share));
        bytes -= share;
    }
}

data::Dataset TrainingData::test() const {
    try {
        return samples_of(set_.only(data::Split::test), settings_);
    } catch (const Error& error) {
        // A test part that gives no clip is no reason to lose what has been trained.
        log_warning(std::string("there is no test: ") + error.what());
        return {};
    }
}

void TrainingData::use_features(data::FeatureTable train, data::FeatureTable validation) {
    train_ = with_features(*train_, std::move(train));
    validation_ = with_features(*validation_, std::move(validation));
}

double TrainingData::cache_bytes() const { return cache_bytes_of(*train_) + cache_bytes_of(*validation_); }

}  // namespace liven
