#include "feature_cache.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
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

namespace liven {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFeatures = "features";

/// FNV-1a over eight bytes at a time: tells weights apart, nothing more.
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

/// In inference mode, restored afterwards.
data::FeatureTable compute(Module& model, FrameEncoder& encoder, data::Loader& frames, int64_t count) {
    const NoGrad no_grad;
    const bool training = model.training();
    model.eval();
    data::FeatureTable table;
    float* dst = nullptr;
    Progress bar({.title = "describing frames", .total = count, .unit = "clip"});
    while (const auto batch = frames.next()) {
        const Tensor rows = encoder.describe(images_of(*batch, frames.options().preprocess));
        if (!dst) {
            table.sample = {rows.shape()[1], rows.shape()[2]};
            table.values = Buffer(static_cast<size_t>(count * table.sample.count()) * sizeof(float));
            dst = table.values.as<float>();
        }
        const auto values = rows.data<float>();
        dst = std::copy(values.begin(), values.end(), dst);
        bar.advance(batch->count);
    }
    model.train(training);
    return table;
}

}  // namespace

data::FeatureTable describe_frames(Module& model, FrameEncoder& encoder, data::Loader& pictures, int64_t batch,
                                   const fs::path& folder) {
    data::Dataset set = pictures.dataset();
    std::vector<data::Sample> readable;
    for (const int64_t index : pictures.usable()) readable.push_back(set.samples[static_cast<size_t>(index)]);
    set.samples = std::move(readable);
    const data::Preprocess& preprocess = pictures.options().preprocess;
    const fs::path file = folder / (key_of(model, set, preprocess, batch) + ".safetensors");
    std::error_code ignored;
    if (fs::exists(file, ignored)) try {
            const HostTensor rows = SafetensorsReader(file).read(kFeatures);
            if (rows.shape.rank() == 3 && rows.shape[0] == set.size() && rows.dtype == DType::f32)
                return {.sample = {rows.shape[1], rows.shape[2]}, .values = rows.data};
        } catch (const Error& error) {
            log_warning(std::string("computed again: ") + error.what());
        }
    data::Loader frames = evaluation_loader(set, preprocess, batch);
    frames.set_cache_bytes(0);  // each is looked at once
    frames.prepare();
    if (static_cast<int64_t>(frames.usable().size()) != set.size())
        throw Error(frames.broken()[0].path, "could be read a moment ago and no longer can");
    data::FeatureTable table = compute(model, encoder, frames, set.size());
    HostTensor rows;
    rows.shape = batched(set.size(), table.sample);
    rows.data = table.values;
    fs::create_directories(folder);
    write_safetensors(file, {{kFeatures, rows}}, {{"preprocess", preprocess.to_json()}});
    return table;
}

}  // namespace liven
