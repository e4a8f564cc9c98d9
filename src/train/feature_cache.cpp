#include "feature_cache.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <system_error>

#include "kernels/numerics.hpp"
#include "kernels/tuning.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/log.hpp"
#include "liven/core/progress.hpp"
#include "liven/io/safetensors.hpp"
#include "liven/train/evaluate.hpp"
#include "src/core/writing.hpp"

namespace liven {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFeatures = "features";

/// Like FNV-1a, but over eight bytes at a time, since weights are many: tells weights apart, nothing more.
class Digest {
public:
    void add(const void* bytes, size_t count) {
        const auto* at = static_cast<const unsigned char*>(bytes);
        for (; count >= 8; at += 8, count -= 8) {
            uint64_t word = 0;
            std::memcpy(&word, at, 8);
            mix(word);
        }
        for (; count > 0; ++at, --count) mix(*at);
    }
    void add(std::string_view text) {
        add(text.data(), text.size());
        mix(text.size());
    }
    std::string str() const {
        char text[20];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value_));
        return text;
    }

private:
    void mix(uint64_t word) {
        value_ = (value_ ^ word) * 0x100000001b3u;
        value_ ^= value_ >> 29;
    }

    uint64_t value_ = 0xcbf29ce484222325u;
};

/// A file as it lies there: its size and the time of its last change.
void add_file(Digest& digest, const fs::path& path) {
    std::error_code code;
    digest.add(path.string());
    digest.add(std::to_string(fs::file_size(path, code)));
    digest.add(std::to_string(fs::last_write_time(path, code).time_since_epoch().count()));
}

std::string key_of(Module& model, const data::Dataset& set, const data::Preprocess& preprocess, int64_t batch) {
    Digest digest;
    // All that is not trained: of the states those whose values the encoder's descriptors can depend on.
    for (const State& state : model.states()) {
        const auto trained = [&](const Parameter& p) { return p.name() == state.name(); };
        if (std::any_of(model.parameters().begin(), model.parameters().end(), trained)) continue;
        const auto values = state.tensor().data<float>();
        digest.add(state.name());
        digest.add(values.data(), values.size_bytes());
    }
    digest.add(preprocess.to_json());
    digest.add(std::string(name_of(active_isa())) + std::to_string(kernels::numerics_version));
    digest.add(std::to_string(kernels::active_tuning()->hash()) + "," + std::to_string(batch));
    for (const data::Sample& sample : set.samples)
        for (const data::Frame& frame : sample.clip) {
            add_file(digest, frame.path);
            digest.add(std::to_string(frame.number));
            digest.add(frame.box ? "box" : "whole");
            if (frame.box) digest.add(&*frame.box, sizeof *frame.box);
        }
    return digest.str();
}

/// What has been described: a row a sample, for the first `done` of them.
struct Described {
    data::FeatureTable table;
    int64_t done = 0;
};

/// What lies there of `count` rows, none when that is nothing to go on with: a part ends with a whole batch, since the
/// kernels may round a row differently in another place of a batch, and a row has the encoder's shape.
Described kept_of(const fs::path& file, int64_t count, const FeatureCacheOptions& options) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return {};
    try {
        const HostTensor rows = SafetensorsReader(file).read(kFeatures);
        const int64_t done = rows.shape.rank() == 3 ? rows.shape[0] : 0;
        const bool whole = done == count || (done < count && done % options.batch == 0);
        if (rows.dtype != DType::f32 || done < 1 || !whole || rows.shape != batched(done, options.sample)) return {};
        Described kept{.table = {.sample = options.sample, .values = rows.data}, .done = done};
        if (done == count) return kept;
        kept.table.values = Buffer(static_cast<size_t>(count * kept.table.sample.count()) * sizeof(float));
        std::memcpy(kept.table.values.data(), rows.data.data(),
                    static_cast<size_t>(rows.shape.count()) * sizeof(float));
        return kept;
    } catch (const Error& error) {
        log_warning(std::string("computed again: ") + error.what());
        return {};
    }
}

void keep(const Described& described, const fs::path& file, const data::Preprocess& preprocess) {
    const HostTensor rows(batched(described.done, described.table.sample),
                          std::span<const float>(described.table.values.as<float>(),
                                                 static_cast<size_t>(described.done * described.table.sample.count())));
    write_safetensors(file, {{kFeatures, rows}}, {{"preprocess", preprocess.to_json()}});
}

/// Rows after which a part is written: each time a quarter more, so that all the writing stays a few times the file.
int64_t next_part(int64_t done) { return done + std::max<int64_t>(256, done / 4); }

/// Describes what is left of `count` samples, in inference mode (restored afterwards), until `stop` says so. Parts are
/// handed to `part`.
void compute(Module& model, FrameEncoder& encoder, data::Loader& frames, Described& described, int64_t count,
             const std::function<bool()>& stop, const std::function<void()>& part) {
    const NoGrad no_grad;
    const bool training = model.training();
    model.eval();
    data::FeatureTable& table = described.table;
    int64_t write_at = next_part(described.done);
    Progress bar({.title = "describing frames", .total = count, .unit = "clip"});
    bar.advance(described.done);
    while (described.done < count && !stop()) {
        const auto batch = frames.next();
        if (!batch) break;
        const Tensor rows = encoder.describe(images_of(*batch, frames.options().preprocess));
        if (!table.values) {
            table.sample = {rows.shape()[1], rows.shape()[2]};
            table.values = Buffer(static_cast<size_t>(count * table.sample.count()) * sizeof(float));
        }
        const auto values = rows.data<float>();
        std::copy(values.begin(), values.end(), table.values.as<float>() + described.done * table.sample.count());
        described.done += batch->count;
        bar.advance(batch->count);
        if (described.done < write_at) continue;
        part();
        write_at = next_part(described.done);
    }
    model.train(training);
}

}  // namespace

std::optional<data::FeatureTable> describe_frames(Module& model, FrameEncoder& encoder, data::Loader& pictures,
                                                  const FeatureCacheOptions& options) {
    data::Dataset set = pictures.dataset();
    std::vector<data::Sample> readable;
    for (const int64_t index : pictures.usable()) readable.push_back(set.samples[static_cast<size_t>(index)]);
    set.samples = std::move(readable);
    const int64_t count = set.size();
    const data::Preprocess& preprocess = pictures.options().preprocess;
    const fs::path file = options.folder / (key_of(model, set, preprocess, options.batch) + ".safetensors");
    Described described = kept_of(file, count, options);
    if (described.done == count) return described.table;
    if (described.done > 0)
        log_info("going on after " + std::to_string(described.done) + " of " + std::to_string(count) +
                 " clips described before");
    set.samples.erase(set.samples.begin(), set.samples.begin() + described.done);
    data::Loader frames = evaluation_loader(set, preprocess, options.batch);
    frames.set_cache_bytes(0);  // each is looked at once
    frames.prepare();
    if (static_cast<int64_t>(frames.usable().size()) != set.size())
        throw Error(frames.broken()[0].path, "could be read a moment ago and no longer can");
    make_folders(options.folder);
    const int64_t before = described.done;
    const auto part = [&] { keep(described, file, preprocess); };
    compute(model, encoder, frames, described, count, options.stop, part);
    if (described.done > before) part();
    if (described.done < count) return std::nullopt;
    return described.table;
}

}  // namespace liven
