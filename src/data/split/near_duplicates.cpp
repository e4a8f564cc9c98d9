#include "liven/data/near_duplicates.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>
#include <tuple>
#include <unordered_map>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/parallel.hpp"

namespace liven::data {
namespace {

/// Hashes that differ in at most three bits have one of four parts in common.
constexpr size_t kParts = 4;
/// Of one part's equals; sets of thousands of pictures of one scene would cost a day otherwise.
constexpr size_t kMostCandidates = 4096;

struct Look {
    uint64_t hash = 0;
    bool flat = false;
    std::string reason;  ///< not empty: unreadable
};

std::array<int, 72> grey_9x8(const Image& image) {
    const Image small = resize(image, 9, 8, Interpolation::area);
    std::array<int, 72> grey{};
    for (size_t i = 0; i < grey.size(); ++i) {
        const uint8_t* p = small.pixels.data() + 3 * i;
        grey[i] = 299 * p[0] + 587 * p[1] + 114 * p[2];
    }
    return grey;
}

/// Less than eight levels between the darkest and the lightest of 72 fields.
bool is_flat(const Image& image) {
    const auto grey = grey_9x8(image);
    const auto [low, high] = std::minmax_element(grey.begin(), grey.end());
    return *high - *low < 8 * 1000;
}

Image picture_shown(const Sample& s) {
    if (!is_video(s.path)) return decode(s.path);
    return read_frames(s.path, std::vector<int64_t>{std::max<int64_t>(s.frame, 0)})[0];
}

/// Neighbours of one video are decoded in one go.
std::vector<std::vector<size_t>> in_runs(const Dataset& dataset) {
    std::vector<std::vector<size_t>> runs;
    for (size_t i = 0; i < dataset.samples.size(); ++i) {
        const Sample& s = dataset.samples[i];
        const Sample* last = i > 0 ? &dataset.samples[i - 1] : nullptr;
        if (last && is_video(s.path) && last->path == s.path && last->frame <= s.frame)
            runs.back().push_back(i);
        else
            runs.push_back({i});
    }
    return runs;
}

void look_at_run(const Dataset& dataset, const std::vector<size_t>& run, std::vector<Look>& looks) {
    const auto note = [&](size_t i, const Image& image) {
        looks[i].hash = difference_hash(image);
        looks[i].flat = is_flat(image);
    };
    try {
        if (run.size() == 1) return note(run[0], picture_shown(dataset.samples[run[0]]));
        std::vector<int64_t> frames;
        for (size_t i : run) frames.push_back(std::max<int64_t>(dataset.samples[i].frame, 0));
        const std::vector<Image> images = read_frames(dataset.samples[run[0]].path, frames);
        for (size_t k = 0; k < run.size(); ++k) note(run[k], images[k]);
    } catch (const Error& error) {
        for (size_t i : run) looks[i].reason = error.what();
    }
}

uint64_t part_of(uint64_t hash, size_t part) { return (hash >> (16 * part) & 0xFFFF) << 2 | part; }

void find_pairs(const Dataset& dataset, const std::vector<Look>& looks, int distance, NearDuplicates& out) {
    std::unordered_map<uint64_t, std::vector<size_t>> alike;
    std::set<std::pair<size_t, size_t>> seen;
    for (size_t i = 0; i < looks.size(); ++i) {
        if (!looks[i].reason.empty() || looks[i].flat) continue;
        const Sample& s = dataset.samples[i];
        NearDuplicate best{.first = 0, .second = i, .distance = distance + 1};
        for (size_t part = 0; part < kParts; ++part) {
            std::vector<size_t>& candidates = alike[part_of(looks[i].hash, part)];
            for (size_t k = candidates.size(), looked = 0; k-- > 0 && looked < kMostCandidates && best.distance > 0;
                 ++looked) {
                const Sample& other = dataset.samples[candidates[k]];
                if (other.split == s.split && other.label == s.label) continue;
                const int bits = std::popcount(looks[i].hash ^ looks[candidates[k]].hash);
                if (bits < best.distance) best.first = candidates[k], best.distance = bits;
            }
            candidates.push_back(i);
        }
        if (best.distance <= distance && seen.emplace(best.first, i).second) out.pairs.push_back(best);
    }
    std::sort(out.pairs.begin(), out.pairs.end(), [](const NearDuplicate& a, const NearDuplicate& b) {
        return std::tie(a.distance, a.first, a.second) < std::tie(b.distance, b.first, b.second);
    });
}

}  // namespace

uint64_t difference_hash(const Image& image) {
    const auto grey = grey_9x8(image);
    uint64_t hash = 0;
    for (size_t y = 0; y < 8; ++y)
        for (size_t x = 0; x < 8; ++x) hash = hash << 1 | (grey[9 * y + x] < grey[9 * y + x + 1] ? 1u : 0u);
    return hash;
}

NearDuplicates find_near_duplicates(const Dataset& dataset, const NearDuplicateOptions& options) {
    if (options.distance < 0 || options.distance > 3)
        throw Error("audit", "expected a distance from 0 to 3 bits, but got " + std::to_string(options.distance));
    std::vector<Look> looks(dataset.samples.size());
    const auto runs = in_runs(dataset);
    parallel_for(
        static_cast<int64_t>(runs.size()), options.threads,
        [&](int64_t i) { look_at_run(dataset, runs[static_cast<size_t>(i)], looks); }, options.progress);
    NearDuplicates out;
    for (const Look& look : looks) {
        if (!look.reason.empty()) out.unreadable.push_back(look.reason);
        out.flat += look.reason.empty() && look.flat;
        out.compared += look.reason.empty() && !look.flat;
    }
    find_pairs(dataset, looks, options.distance, out);
    return out;
}

Image grid_of_pairs(const Dataset& dataset, std::span<const NearDuplicate> pairs, size_t most) {
    constexpr int side = 128, gap = 4, wide = 2 * side + 3 * gap, across = 4;
    const auto count = static_cast<int>(std::min(pairs.size(), most));
    if (count == 0) throw Error("audit", "there is no pair to draw");
    Image grid(std::min(count, across) * wide, (count + across - 1) / across * (side + 2 * gap));
    std::fill(grid.pixels.begin(), grid.pixels.end(), uint8_t{255});
    for (int i = 0; i < count; ++i) {
        const NearDuplicate& pair = pairs[static_cast<size_t>(i)];
        for (int half = 0; half < 2; ++half) {
            const Image small = resize(picture_shown(dataset.samples[half == 0 ? pair.first : pair.second]), side, side,
                                       Interpolation::area);
            for (int y = 0; y < side; ++y)
                std::memcpy(
                    grid.at(i % across * wide + gap + half * (side + gap), i / across * (side + 2 * gap) + gap + y),
                    small.at(0, y), size_t{3} * side);
        }
    }
    return grid;
}

}  // namespace liven::data
