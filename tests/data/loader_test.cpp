#include "liven/data/loader.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <set>

#include "helpers.hpp"
#include "liven/core/error.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;
namespace fs = std::filesystem;

namespace {

constexpr int64_t pixels = 16;

/// Pictures on disk, one attack in `attack_every`.
class Set {
public:
    explicit Set(int64_t count, int64_t attack_every = 2) {
        for (int64_t i = 0; i < count; ++i) {
            Sample s;
            s.path = folder_ / (std::to_string(i) + ".png");
            s.label = i % attack_every == 0 ? Label::attack : Label::bonafide;
            write_picture(s.path, static_cast<uint64_t>(i), 20, 18);
            data.samples.push_back(std::move(s));
        }
    }
    fs::path path(int64_t i) const { return data.samples[static_cast<size_t>(i)].path; }
    const TemporaryFolder& folder() const { return folder_; }
    Dataset data;

private:
    TemporaryFolder folder_;
};

LoaderOptions options(LoaderOptions o = {}) {
    o.preprocess.width = o.preprocess.height = static_cast<int>(pixels);
    o.prepare_threads = 2;
    return o;
}

/// A batch as something to compare: every bit of it.
std::string bytes_of(const Batch& b) {
    std::string out = std::to_string(b.epoch) + ":" + std::to_string(b.index) + ":";
    for (int64_t s : b.samples) out += std::to_string(s) + ",";
    out.append(b.images.as<char>(), static_cast<size_t>(b.shape().count()) * sizeof(float));
    out.append(b.labels.as<char>(), static_cast<size_t>(b.count) * sizeof(int32_t));
    return out;
}

/// `epochs` whole epochs.
std::vector<std::string> collect(Loader& loader, int epochs) {
    std::vector<std::string> out;
    for (int e = 0; e < epochs; ++e)
        while (auto batch = loader.next()) out.push_back(bytes_of(*batch));
    return out;
}

}  // namespace

TEST_CASE("Every epoch has every sample once, in another order, labels beside their pictures") {
    const Set set(37);
    Loader loader(set.data, options({.batch = 8, .threads = 2}));
    CHECK(loader.batches() == 5);
    CHECK(loader.samples_per_epoch() == 37);
    std::vector<std::vector<int64_t>> orders;
    for (int epoch = 0; epoch < 3; ++epoch) {
        std::vector<int64_t> order;
        int64_t index = 0;
        for (const Batch& b : loader) {
            CHECK(b.epoch == epoch);
            CHECK(b.index == index++);
            CHECK(b.count == (b.index == 4 ? 5 : 8));
            CHECK(b.shape() == liven::Shape{b.count, pixels, pixels, 3});
            for (int64_t i = 0; i < b.count; ++i) {
                const int64_t sample = b.samples[static_cast<size_t>(i)];
                const Sample& s = set.data.samples[static_cast<size_t>(sample)];
                CHECK(b.labels.as<int32_t>()[i] == static_cast<int32_t>(s.label));
                const std::vector<float> expected = loader.options().preprocess(decode(s.path));
                CHECK(std::memcmp(b.images.as<float>() + i * pixels * pixels * 3, expected.data(),
                                  expected.size() * sizeof(float)) == 0);
                order.push_back(sample);
            }
        }
        CHECK(std::set<int64_t>(order.begin(), order.end()).size() == 37);
        CHECK(order.size() == 37);
        orders.push_back(order);
    }
    CHECK(orders[0] != orders[1]);
    CHECK(orders[1] != orders[2]);
}

TEST_CASE("A loader of pixels hands over what the scaled pictures are made from, unless it augments") {
    const Set set(5);
    LoaderOptions o = options({.batch = 5, .shuffle = false, .pixels = true});
    o.preprocess.colour_order = ColourOrder::bgr;
    Loader loader(set.data, o);
    const Batch batch = loader.next().value();
    CHECK(batch.dtype == liven::DType::u8);
    const int64_t values = pixels * pixels * 3;
    for (int64_t i = 0; i < batch.count; ++i) {
        const std::vector<uint8_t> expected =
            o.preprocess.pixels(decode(set.data.samples[static_cast<size_t>(i)].path));
        CHECK(std::memcmp(batch.images.as<uint8_t>() + i * values, expected.data(), expected.size()) == 0);
    }
    o.augmentation = Augmentation::paper_k();
    Loader augmenting(set.data, o);
    CHECK(augmenting.next().value().dtype == liven::DType::f32);
}

TEST_CASE("Batches are the same bits for any number of threads, any cache and any prefetch") {
    const Set set(23);
    const auto run = [&](LoaderOptions o) {
        o.batch = 5;
        o.augmentation = Augmentation::paper_k();
        Loader loader(set.data, options(o));
        return collect(loader, 3);
    };
    const std::vector<std::string> expected = run({.threads = 0});
    CHECK(expected.size() == 15);
    CHECK(run({.threads = 1}) == expected);
    CHECK(run({.threads = 2, .prefetch = 1}) == expected);
    CHECK(run({.threads = 4, .prefetch = 9}) == expected);
    CHECK(run({.threads = 2, .cache_bytes = 0}) == expected);
    CHECK(run({.threads = 2, .cache_bytes = 5000}) == expected);
    CHECK(run({.threads = 2, .cache_bytes = 0, .cache_folder = set.folder().path()}) == expected);
    CHECK(std::set<std::string>(expected.begin(), expected.end()).size() == 15);
}

TEST_CASE("Augmentation is new in every epoch, another for another seed, and off by default") {
    const Set set(4);
    const auto pictures = [&](LoaderOptions o, int epochs) {
        o.shuffle = false;
        o.batch = 4;
        Loader loader(set.data, options(o));
        std::vector<std::string> out;
        for (int e = 0; e < epochs; ++e)
            while (auto b = loader.next())
                out.emplace_back(b->images.as<char>(), static_cast<size_t>(b->shape().count()) * sizeof(float));
        return out;
    };
    const auto plain = pictures({}, 2);
    CHECK(plain[0] == plain[1]);
    const auto moved = pictures({.augmentation = Augmentation::paper_k()}, 2);
    CHECK(moved[0] != moved[1]);
    CHECK(moved[0] != pictures({.augmentation = Augmentation::paper_k(), .seed = 7}, 1)[0]);
}

TEST_CASE("A loader goes on exactly where its cursor says, from any batch") {
    const Set set(11);
    const LoaderOptions o = options({.batch = 3, .augmentation = Augmentation::paper_m(), .threads = 2});
    Loader whole(set.data, o);
    const std::vector<std::string> expected = collect(whole, 3);
    REQUIRE(expected.size() == 12);
    for (size_t stop = 0; stop <= 8; ++stop) {
        Loader first(set.data, o);
        for (size_t i = 0; i < stop;)
            if (first.next()) ++i;
        const Cursor cursor = first.cursor();
        Loader second(set.data, o);
        second.seek(cursor);
        CHECK(second.cursor() == cursor);
        std::vector<std::string> rest;
        while (rest.size() < 12 - stop)
            if (auto b = second.next()) rest.push_back(bytes_of(*b));
        CHECK(rest == std::vector<std::string>(expected.begin() + static_cast<std::ptrdiff_t>(stop), expected.end()));
    }
    // Backwards too, with work under way.
    whole.seek({1, 2});
    CHECK(bytes_of(*whole.next()) == expected[6]);
    CHECK_THROWS_AS(whole.seek({0, 5}), Error);
    CHECK_THROWS_AS(whole.seek({-1, 0}), Error);
}

TEST_CASE("From the second epoch on nothing is decoded") {
    const Set set(9);
    Loader loader(set.data, options({.batch = 4, .threads = 2}));
    loader.prepare();
    CHECK(loader.statistics().decoded == 9);
    CHECK(loader.statistics().cached == 9);
    collect(loader, 3);
    CHECK(loader.statistics().decoded == 9);
    CHECK(loader.statistics().from_cache >= 27);
    for (int i = 0; i < 9; ++i) fs::remove(set.path(i));
    CHECK(collect(loader, 1).size() == 3);
}

TEST_CASE("A cache that is too small holds what it can; a file takes the rest and leaves no trace") {
    const Set set(9);
    const size_t frame = static_cast<size_t>(pixels * pixels * 3);
    Loader small(set.data, options({.cache_bytes = 4 * frame + 1}));
    small.prepare();
    CHECK(small.statistics().cached == 4);
    CHECK(small.statistics().cache_bytes == 4 * frame);
    const auto files = [&] {
        return std::distance(fs::directory_iterator(set.folder().path()), fs::directory_iterator());
    };
    const auto before = files();
    Loader mapped(set.data, options({.cache_bytes = 0, .cache_folder = set.folder().path()}));
    mapped.prepare();
    CHECK(mapped.statistics().cached == 9);
    CHECK(files() == before);
    CHECK_THROWS_AS(Loader(set.data, options({.cache_bytes = 0, .cache_folder = "/nonexistent"})).prepare(), Error);
}

TEST_CASE("Broken pictures are named, counted and never seen") {
    const Set set(12);
    write_bytes(set.path(3), "no picture");
    write_bytes(set.path(7), "");
    fs::remove(set.path(8));
    Loader loader(set.data, options({.batch = 4, .threads = 2}));
    int64_t last = 0;
    loader.prepare([&](int64_t done, int64_t total) {
        CHECK(total == 12);
        last = done;
    });
    CHECK(last == 12);
    REQUIRE(loader.broken().size() == 3);
    CHECK_THAT(loader.broken()[0].path, Contains("3.png"));
    CHECK_THAT(loader.broken()[1].reason, Contains("empty"));
    CHECK(loader.samples_per_epoch() == 9);
    std::set<int64_t> seen;
    for (const Batch& b : loader) seen.insert(b.samples.begin(), b.samples.end());
    CHECK(seen == std::set<int64_t>{0, 1, 2, 4, 5, 6, 9, 10, 11});
}

TEST_CASE("A picture that vanishes during training is an error in its batch, not a silent gap") {
    const Set set(8);
    Loader loader(set.data, options({.batch = 4, .shuffle = false, .threads = 2, .prefetch = 1, .cache_bytes = 0}));
    loader.prepare();
    // The workers may have the first batches already; they come round again in the next epoch.
    fs::remove(set.path(5));
    CHECK_THROWS_WITH(collect(loader, 3), Contains("5.png"));
    // The cursor stands at the batch that failed; once the file is back it comes.
    const Cursor failed = loader.cursor();
    CHECK(failed.batch == 1);
    CHECK_THROWS_AS(loader.next(), Error);
    CHECK(loader.cursor() == failed);
    write_picture(set.path(5), 5, 20, 18);
    CHECK(loader.next()->samples == std::vector<int64_t>{4, 5, 6, 7});
}

TEST_CASE("Balanced epochs have both classes equally, the larger one whole") {
    const Set set(20, 5);  // 4 attacks
    Loader loader(set.data, options({.batch = 8, .balanced = true, .threads = 2}));
    CHECK(loader.samples_per_epoch() == 32);
    std::map<int64_t, int> times;
    std::set<std::string> pictures;
    for (const Batch& b : loader) {
        int attacks = 0;
        for (int64_t i = 0; i < b.count; ++i) attacks += b.labels.as<int32_t>()[i];
        CHECK(attacks == 4);
        for (int64_t s : b.samples) ++times[s];
    }
    for (int64_t i = 0; i < 20; ++i) CHECK(times[i] == (i % 5 == 0 ? 4 : 1));
    Dataset one_class = set.data;
    for (Sample& s : one_class.samples) s.label = Label::attack;
    CHECK_THROWS_WITH(Loader(one_class, options({.balanced = true})).prepare(), Contains("both classes"));
}

TEST_CASE("A picture that comes twice in a balanced epoch is augmented twice") {
    const Set set(5, 5);  // one attack, four bona fide
    Loader loader(set.data,
                  options({.batch = 8, .augmentation = Augmentation::paper_k(), .balanced = true, .threads = 1}));
    const auto b = loader.next();
    std::set<std::string> attacks;
    const size_t size = static_cast<size_t>(pixels * pixels * 3) * sizeof(float);
    for (int64_t i = 0; i < b->count; ++i)
        if (b->labels.as<int32_t>()[i] == 1)
            attacks.emplace(b->images.as<char>() + static_cast<size_t>(i) * size, size);
    CHECK(attacks.size() == 4);
}

TEST_CASE("The last, smaller batch is kept or dropped as told") {
    const Set set(10);
    Loader kept(set.data, options({.batch = 4})), dropped(set.data, options({.batch = 4, .drop_last = true}));
    CHECK(kept.batches() == 3);
    CHECK(dropped.batches() == 2);
    CHECK(dropped.samples_per_epoch() == 8);
    CHECK(collect(dropped, 2).size() == 4);
    CHECK_THROWS_WITH(Loader(set.data, options({.batch = 11, .drop_last = true})).prepare(), Contains("drop_last"));
}

TEST_CASE("Without shuffling samples come in order") {
    const Set set(6);
    Loader loader(set.data, options({.batch = 6, .shuffle = false}));
    CHECK(loader.next()->samples == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("Loaders that cannot work say why") {
    const Set set(3);
    CHECK_THROWS_WITH(Loader({}, options()), Contains("no samples"));
    CHECK_THROWS_AS(Loader(set.data, options({.batch = 0})), Error);
    CHECK_THROWS_AS(Loader(set.data, options({.threads = -1})), Error);
    CHECK_THROWS_AS(Loader(set.data, options({.prefetch = 0})), Error);
    CHECK_THROWS_AS(Loader(set.data, options({.augmentation = {.flip = 2}})), Error);
    for (int i = 0; i < 3; ++i) write_bytes(set.path(i), "x");
    Loader loader(set.data, options());
    CHECK_THROWS_WITH(loader.next(), Contains("none of the 3 pictures"));
}

TEST_CASE("A loader may be left in the middle, moved, or never started") {
    const Set set(30);
    { Loader never(set.data, options()); }
    Loader loader(set.data, options({.batch = 2, .threads = 4, .prefetch = 8}));
    loader.next();
    Loader moved = std::move(loader);
    CHECK(moved.next()->index == 1);
}
