#include "liven/data/near_duplicates.hpp"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>

#include "helpers.hpp"
#include "import_helpers.hpp"
#include "liven/core/error.hpp"

using namespace liven::data;
using liven::Error;
namespace fs = std::filesystem;

namespace {

/// Large soft spots, other ones for each seed.
Image spots(uint64_t seed, int width = 90, int height = 80) {
    liven::Random random(seed);
    Image coarse(6, 6);
    for (uint8_t& p : coarse.pixels) p = static_cast<uint8_t>(random.below(256));
    return resize(coarse, width, height, Interpolation::bilinear);
}

Sample sample_of(const fs::path& path, Split split, Label label = Label::bonafide) {
    Sample s;
    s.path = path;
    s.split = split;
    s.label = label;
    return s;
}

}  // namespace

TEST_CASE("The hash outlives another size, compression and brightness, and tells pictures apart") {
    const uint64_t hash = difference_hash(spots(1));
    Image lighter = spots(1);
    for (uint8_t& p : lighter.pixels) p = static_cast<uint8_t>(p / 2 + 60);
    CHECK(std::popcount(hash ^ difference_hash(resize(spots(1), 45, 40, Interpolation::area))) <= 3);
    CHECK(std::popcount(hash ^ difference_hash(decode(encode_jpeg(spots(1), 60), "jpeg"))) <= 3);
    CHECK(std::popcount(hash ^ difference_hash(lighter)) <= 3);
    for (uint64_t seed = 2; seed < 20; ++seed) CHECK(std::popcount(hash ^ difference_hash(spots(seed))) > 3);
}

TEST_CASE("Look-alikes count where splits or labels differ; flat and broken pictures are named apart") {
    const TemporaryFolder folder;
    Dataset set;
    for (uint64_t i = 0; i < 4; ++i) {
        write(spots(i), folder / (std::to_string(i) + ".png"));
        set.samples.push_back(sample_of(folder / (std::to_string(i) + ".png"), Split::train));
    }
    write(spots(2), folder / "again.jpg", 80);
    write(spots(3), folder / "same-side.jpg", 80);
    write(spots(1), folder / "other-class.jpg", 80);
    write(Image(20, 20), folder / "black.png");
    write_bytes(folder / "broken.png", "x");
    set.samples.push_back(sample_of(folder / "again.jpg", Split::test));
    set.samples.push_back(sample_of(folder / "same-side.jpg", Split::train));
    set.samples.push_back(sample_of(folder / "other-class.jpg", Split::train, Label::attack));
    set.samples.push_back(sample_of(folder / "black.png", Split::test));
    set.samples.push_back(sample_of(folder / "broken.png", Split::test));
    write_clip(folder / "film.avi", 4);
    for (int64_t frame : {0, 1}) {
        set.samples.push_back(sample_of(folder / "film.avi", frame == 0 ? Split::train : Split::val));
        set.samples.back().frame = frame;
    }
    const NearDuplicates found = find_near_duplicates(set, {.threads = 2});
    CHECK(found.flat == 1);
    CHECK(found.unreadable.size() == 1);
    CHECK(found.compared == 9);
    std::vector<std::pair<size_t, size_t>> pairs;
    for (const NearDuplicate& pair : found.pairs) pairs.emplace_back(pair.first, pair.second);
    CHECK(std::count(pairs.begin(), pairs.end(), std::pair<size_t, size_t>(2, 4)) == 1);
    CHECK(std::count(pairs.begin(), pairs.end(), std::pair<size_t, size_t>(1, 6)) == 1);
    CHECK(std::none_of(pairs.begin(), pairs.end(), [](const auto& pair) { return pair.second == 5; }));
    const Image grid = grid_of_pairs(set, found.pairs);
    CHECK(grid.width == std::min<int>(static_cast<int>(pairs.size()), 4) * 268);
    CHECK(grid.height == 136);
    CHECK_THROWS_AS(grid_of_pairs(set, {}), Error);
    CHECK_THROWS_AS(find_near_duplicates(set, {.distance = 4}), Error);
}
