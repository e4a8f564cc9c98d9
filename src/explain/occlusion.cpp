#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/explain/methods.hpp"
#include "liven/nn/objective.hpp"
#include "liven/nn/session.hpp"
#include "observed.hpp"

namespace liven::saliency {
namespace {

/// A sample without its first axis, frame by frame.
struct Extents {
    int64_t frames, height, width, channels;

    explicit Extents(const Shape& sample)
        : frames(frames_of(sample)),
          height(sample[sample.rank() - 3]),
          width(sample[sample.rank() - 2]),
          channels(sample[sample.rank() - 1]) {}
    int64_t pixels() const { return frames * height * width; }
    int64_t count() const { return pixels() * channels; }
};

struct Square {
    int64_t y = 0, x = 0;
};

/// Where squares begin on an axis; the last one ends with it.
std::vector<int64_t> beginnings(int64_t extent, int64_t patch, int64_t stride) {
    std::vector<int64_t> at;
    for (int64_t begin = 0; begin + patch < extent; begin += stride) at.push_back(begin);
    at.push_back(extent - patch);
    return at;
}

std::vector<float> mean_colour(std::span<const float> values, const Extents& extents) {
    std::vector<double> sums(static_cast<size_t>(extents.channels));
    for (size_t i = 0; i < values.size(); ++i) sums[i % sums.size()] += static_cast<double>(values[i]);
    std::vector<float> colour;
    for (const double sum : sums) colour.push_back(static_cast<float>(sum / static_cast<double>(extents.pixels())));
    return colour;
}

void cover(float* sample, const Extents& extents, const Square& square, int64_t patch, std::span<const float> colour) {
    for (int64_t frame = 0; frame < extents.frames; ++frame)
        for (int64_t y = square.y; y < square.y + patch; ++y) {
            float* row = sample + ((frame * extents.height + y) * extents.width + square.x) * extents.channels;
            for (int64_t x = 0; x < patch; ++x, row += extents.channels) std::copy(colour.begin(), colour.end(), row);
        }
}

/// The evidence in samples that differ in what is covered.
class Witness {
public:
    Witness(Module& model, const Shape& sample, const OcclusionOptions& options)
        : session_(model, without_batch(sample), {.batch = options.batch}),
          objective_(model.objective()),
          label_(options.label) {}

    std::vector<float> operator()(std::span<const float> samples) {
        const Tensor output = Tensor::from(session_.run(samples), session_.output_shape());
        return objective_->evidence(output, label_).to_vector();
    }

private:
    static Shape without_batch(const Shape& sample) {
        Shape one;
        for (int axis = 1; axis < sample.rank(); ++axis) one.append(sample[axis]);
        return one;
    }

    InferenceSession session_;
    std::unique_ptr<Objective> objective_;
    int64_t label_;
};

/// What covering each square takes away.
std::vector<float> losses(Witness& witness, std::span<const float> whole, const Extents& extents,
                          const std::vector<Square>& squares, int64_t patch, int64_t batch) {
    const std::vector<float> colour = mean_colour(whole, extents);
    const auto size = static_cast<size_t>(extents.count());
    std::vector<float> samples(static_cast<size_t>(batch) * size), lost;
    const auto restore = [&](int64_t i) {
        std::copy(whole.begin(), whole.end(), samples.begin() + static_cast<ptrdiff_t>(i) * extents.count());
    };
    for (int64_t i = 0; i < batch; ++i) restore(i);
    const float evidence = witness(samples)[0];
    for (size_t first = 0; first < squares.size(); first += static_cast<size_t>(batch)) {
        const auto count = static_cast<int64_t>(std::min(squares.size() - first, static_cast<size_t>(batch)));
        for (int64_t i = 0; i < count; ++i)
            cover(samples.data() + i * extents.count(), extents, squares[first + static_cast<size_t>(i)], patch,
                  colour);
        const std::vector<float> covered = witness(samples);
        for (int64_t i = 0; i < count; ++i) {
            lost.push_back(evidence - covered[static_cast<size_t>(i)]);
            restore(i);
        }
    }
    return lost;
}

}  // namespace

Heat occlusion(Module& model, const Tensor& sample, const OcclusionOptions& options) {
    const Extents extents(sample.shape());
    const int64_t side = std::min(extents.height, extents.width);
    const int64_t patch = options.patch == 0 ? std::max<int64_t>(1, side / 8) : options.patch;
    const int64_t stride = options.stride == 0 ? std::max<int64_t>(1, patch / 2) : options.stride;
    if (patch < 1 || patch > side || stride < 1 || options.batch < 1)
        throw Error("occlusion", "expected a patch of 1 to " + std::to_string(side) +
                                     " pixels, a stride and a batch of at least 1, got " + std::to_string(patch) +
                                     ", " + std::to_string(stride) + " and " + std::to_string(options.batch));
    std::vector<Square> squares;
    for (const int64_t y : beginnings(extents.height, patch, stride))
        for (const int64_t x : beginnings(extents.width, patch, stride)) squares.push_back({.y = y, .x = x});
    Witness witness(model, sample.shape(), options);
    const std::vector<float> lost = losses(witness, sample.data(), extents, squares, patch, options.batch);
    std::vector<double> sums(static_cast<size_t>(extents.height * extents.width)), times(sums.size());
    for (size_t i = 0; i < squares.size(); ++i)
        for (int64_t y = squares[i].y; y < squares[i].y + patch; ++y)
            for (int64_t x = squares[i].x; x < squares[i].x + patch; ++x) {
                const auto at = static_cast<size_t>(y * extents.width + x);
                sums[at] += static_cast<double>(lost[i]);
                times[at] += 1;
            }
    Heat heat{.height = extents.height, .width = extents.width};
    // A stride wider than the patch leaves gaps, which nothing was learnt of.
    for (size_t i = 0; i < sums.size(); ++i)
        heat.values.push_back(times[i] > 0 ? static_cast<float>(sums[i] / times[i]) : 0.0f);
    return heat;
}

}  // namespace liven::saliency
