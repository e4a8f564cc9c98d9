#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "liven/core/buffer.hpp"
#include "liven/core/dtype.hpp"
#include "liven/core/shape.hpp"
#include "liven/data/augment.hpp"
#include "liven/data/check.hpp"
#include "liven/data/dataset.hpp"
#include "liven/data/preprocess.hpp"

namespace liven::data {

/// What was computed of every sample of a data set beforehand, to be loaded in place of its pictures.
struct FeatureTable {
    Shape sample;     ///< of one row
    Buffer values{};  ///< f32, a row a sample
};

/// Pictures or clips and labels for one step.
struct Batch {
    Buffer images;                 ///< of `dtype` and `shape()`
    Buffer labels;                 ///< i32, count
    std::vector<int64_t> samples;  ///< indices into the loader's data set
    DType dtype = DType::f32;      ///< u8: pixels in the network's colour order, still to be scaled
    int64_t count = 0, height = 0, width = 0;
    int64_t frames = 0;            ///< of a clip; 0: pictures
    Shape features{};              ///< of one row, when the loader gives features
    int64_t epoch = 0, index = 0;  ///< which batch of which epoch this is

    /// count x height x width x 3, of clips count x frames x height x width x 3, of features count x a row's shape.
    Shape shape() const {
        if (features.rank() > 0) return batched(count, features);
        return frames == 0 ? Shape{count, height, width, 3} : Shape{count, frames, height, width, 3};
    }
};

/// Where a loader stands: the next batch it gives. Stored in a checkpoint; `Loader::seek` goes back there exactly.
struct Cursor {
    int64_t epoch = 0, batch = 0;
    bool operator==(const Cursor&) const = default;
};

struct LoaderOptions {
    int64_t batch = 16;
    Preprocess preprocess{};
    Augmentation augmentation{};
    uint64_t seed = 42;
    bool shuffle = true;
    /// Both classes equally often: the larger class once, the smaller as often as needed, changed afresh each time.
    bool balanced = false;
    bool drop_last = false;   ///< leaves out a last, smaller batch
    bool pixels = false;      ///< hands over 8-bit pixels, a quarter of the bytes, where nothing is augmented
    int threads = 1;          ///< workers beside the caller; they count in the thread budget. 0: the caller does it all
    int prepare_threads = 0;  ///< for `prepare`, when nothing else runs; 0: as many as the machine has
    int prefetch = 3;         ///< batches made ahead
    size_t cache_bytes = size_t{2} << 30;  ///< frames kept decoded, in memory
    /// Rows in place of pictures: nothing is decoded or augmented.
    std::shared_ptr<const FeatureTable> features{};
    /// A folder for a mapped file when memory is not enough; the file is nameless and goes with the process.
    std::filesystem::path cache_folder{};
};

/// Gives a data set in batches, epoch after epoch, decoded and augmented by threads that work ahead.
///
/// Samples are pictures, or clips of equally many frames (`clips_of`): all frames of a clip are augmented by one draw.
/// The content of batch b of epoch e depends on the data set, the seed, e and b alone: not on threads, cache or where
/// it started. Every epoch has each sample exactly once (see `balanced` for the exception). Broken pictures are found,
/// named and left out before the first batch. The loader switches OpenCV's own threads off for the process.
class Loader {
public:
    /// Throws Error for a data set without samples, clips of different lengths or options that cannot be.
    Loader(Dataset dataset, LoaderOptions options);
    ~Loader();
    Loader(Loader&&) noexcept;
    Loader& operator=(Loader&&) noexcept;

    /// Decodes everything once, fills the cache and finds the broken files. The first `next` does it when nobody has.
    /// Throws Error when no picture is left.
    void prepare(const ProgressCallback& progress = {});

    /// The next batch, or nothing at the end of an epoch; the call after that begins the next one. Throws Error when a
    /// file that could be read in `prepare` no longer can.
    std::optional<Batch> next();

    /// Of one epoch; known after `prepare`, which these call when needed.
    int64_t batches();
    int64_t samples_per_epoch();

    /// Fewer or more frames are kept decoded; what the batches hold is the same. Throws Error once prepared.
    void set_cache_bytes(size_t bytes);

    Cursor cursor() const;
    /// Throws Error for a negative position or one behind the end of an epoch.
    void seek(Cursor cursor);

    const Dataset& dataset() const;
    const LoaderOptions& options() const;
    /// Known after `prepare`.
    const std::vector<BrokenFile>& broken() const;
    /// The samples that an epoch is made of, by their places in the data set; known after `prepare`.
    const std::vector<int64_t>& usable() const;

    /// Mean and standard deviation of the scaled pixels (pixel * scale) over all usable frames, channel by channel in
    /// the preprocessing's colour order: what `mean` and `std` make zero and one of. Exact sums: the same for any
    /// number of threads.
    struct Moments {
        std::array<float, 3> mean{}, std{};
    };
    Moments moments();
    /// Goes on from the cursor with this mean and std in the preprocessing. Throws Error as Preprocess::validate does.
    void normalize(const Moments& moments);

    struct Statistics {
        int64_t decoded = 0;     ///< pictures decoded from files so far
        int64_t from_cache = 0;  ///< frames taken from the cache
        int64_t cached = 0;      ///< frames in the cache
        size_t cache_bytes = 0;  ///< its size
        double waited = 0;       ///< seconds the caller stood in `next` without a batch being ready
    };
    Statistics statistics() const;

    /// `for (const Batch& batch : loader)` goes through what is left of one epoch.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Batch;
        using difference_type = std::ptrdiff_t;
        using pointer = const Batch*;
        using reference = const Batch&;

        Iterator() = default;
        explicit Iterator(Loader* loader) : loader_(loader), batch_(loader->next()) {}
        reference operator*() const { return *batch_; }
        pointer operator->() const { return &*batch_; }
        Iterator& operator++() {
            batch_ = loader_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(const Iterator& other) const { return batch_.has_value() == other.batch_.has_value(); }

    private:
        Loader* loader_ = nullptr;
        std::optional<Batch> batch_;
    };
    Iterator begin() { return Iterator(this); }
    Iterator end() { return {}; }

private:
    struct Engine;
    std::unique_ptr<Engine> engine_;
};

}  // namespace liven::data
