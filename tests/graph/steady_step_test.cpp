#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>

#include "liven/core/environment.hpp"
#include "liven/core/isa.hpp"
#include "liven/graph/engine.hpp"
#include "liven/models/attacknet.hpp"
#include "liven/nn/session.hpp"
#include "liven/ops/loss.hpp"
#include "liven/optim/optimizer.hpp"

namespace {

std::atomic<int64_t> g_allocations{0};

}  // namespace

// GCC sees new and delete replaced by malloc and free, inlines one of them and takes the pair for a mistake.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// Every form that may meet another in a pair is replaced: std::stable_sort takes from the nothrow form and gives to the
// plain one.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
    ++g_allocations;
    return std::malloc(bytes ? bytes : 1);
}
void* operator new(size_t bytes) {
    if (void* memory = operator new(bytes, std::nothrow)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

using namespace liven;

namespace {

struct Training {
    AttackNetV22 model{AttackNetV22::defaults()};
    std::unique_ptr<Adam> adam;
    Tensor images, labels;

    explicit Training(int64_t size) {
        const Shape shape{4, size, size, 3};
        model.seed(3);
        model.build(shape);
        adam = std::make_unique<Adam>(model.parameters(), Adam::Options{.learning_rate = 1e-3f});
        std::vector<float> pixels(static_cast<size_t>(shape.count()));
        for (size_t i = 0; i < pixels.size(); ++i)
            pixels[i] = static_cast<float>(i * 2654435761u >> 16 & 0xff) / 255.0f;
        images = Tensor::from(std::span<const float>(pixels), shape);
        const std::vector<int32_t> classes{0, 1, 1, 0};
        labels = Tensor::from(std::span<const int32_t>(classes), {4});
    }

    float step() {
        const Tensor loss = cross_entropy(model(images), labels, {.label_smoothing = 0.1f});
        adam->step(gradients(loss, model.parameters()));
        return loss.item();
    }

    std::vector<float> weights() {
        std::vector<float> all;
        for (const State& state : model.states())
            for (float value : state.tensor().data()) all.push_back(value);
        return all;
    }
};

std::vector<float> trained(int threads, DType dtype = DType::f32) {
    const WithDType storage(dtype);
    set_thread_count(threads);
    Training training(34);
    for (int i = 0; i < 4; ++i) training.step();
    set_thread_count(2);
    return training.weights();
}

}  // namespace

TEST_CASE("A steady training step allocates nothing and makes no plan, with profiling neither") {
    for (const bool profiling : {false, true}) {
        INFO("profiling " << profiling);
        Engine::current().set_profiling(profiling);
        Training training(16);
        for (int i = 0; i < 3; ++i) training.step();
        const int64_t plans = Engine::current().statistics().plans_made;
        const int64_t before = g_allocations;
        for (int i = 0; i < 3; ++i) training.step();
        CHECK(g_allocations - before == 0);
        CHECK(Engine::current().statistics().plans_made == plans);
    }
    Engine::current().set_profiling(false);
}

TEST_CASE("An inference session allocates nothing after its first run") {
    Training training(16);
    InferenceSession session(training.model, {16, 16, 3});
    const std::vector<float> pixels(16 * 16 * 3, 0.5f);
    session.run(pixels);
    const int64_t before = g_allocations;
    for (int i = 0; i < 3; ++i) session.run(pixels);
    CHECK(g_allocations - before == 0);
}

TEST_CASE("One thread, two and three train to the same bits on every ISA") {
    const Isa before = active_isa();
    for (Isa isa : available_isas())
        for (const DType dtype : {DType::f32, DType::bf16}) {
            set_active_isa(isa);
            const std::vector<float> one = trained(1, dtype);
            INFO(name_of(isa) << ", maps in " << name_of(dtype));
            CHECK(one == trained(2, dtype));
            CHECK(one == trained(3, dtype));
        }
    set_active_isa(before);
}

TEST_CASE("Poisoned memory changes no result: nothing is read after its last use or before its first write") {
    for (const DType dtype : {DType::f32, DType::bf16}) {
        const std::vector<float> clean = trained(2, dtype);
        set_poison(true);
        CHECK(clean == trained(2, dtype));
        set_poison(false);
    }
}

TEST_CASE("Reading the loss before the step gives the same weights and is counted") {
    Training quiet(16), nosy(16);
    for (int i = 0; i < 3; ++i) {
        quiet.step();
        const int64_t recomputed = Engine::current().statistics().recomputed;
        const Tensor loss = cross_entropy(nosy.model(nosy.images), nosy.labels, {.label_smoothing = 0.1f});
        const float early = loss.item();
        nosy.adam->step(gradients(loss, nosy.model.parameters()));
        CHECK(loss.item() == early);
        CHECK(Engine::current().statistics().recomputed > recomputed);
    }
    CHECK(quiet.weights() == nosy.weights());
}

TEST_CASE("An abandoned forward changes no running statistic, a committed one changes it once") {
    Training a(16), b(16);
    a.step();
    {
        const Tensor abandoned = b.model(b.images);
        CHECK(abandoned.data().size() == 8);
    }
    b.model.set_forward_count(0);
    b.step();
    CHECK(a.weights() == b.weights());
}

TEST_CASE("A loss that is not finite leaves weights, moments and statistics as they were") {
    Training training(16);
    training.step();
    const std::vector<float> before = training.weights();
    const Tensor broken =
        cross_entropy(training.model(training.images), training.labels) * std::numeric_limits<float>::infinity();
    training.adam->step(gradients(broken, training.model.parameters()));
    CHECK_FALSE(training.adam->last_step_applied());
    CHECK(training.weights() == before);
}

TEST_CASE("The plan cache is bounded and serves a smaller last batch without growing") {
    Engine::current().clear_plans();
    Engine::current().set_plan_limit(4);
    for (int64_t n = 1; n <= 9; ++n) CHECK((Tensor::ones({n}) + Tensor::from({1.0f}, {1})).data()[0] == 2.0f);
    CHECK(Engine::current().statistics().cached_plans == 4);
    CHECK(Engine::current().statistics().plans_evicted >= 5);
    Engine::current().set_plan_limit(64);
}
