#pragma once

#include <immintrin.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace liven::bench {

/// The calling thread and `threads` - 1 others that do the same work at the same time. As the engine's own threads do,
/// the others spin for some tens of microseconds when there is no work, and then sleep: a thread that has to be woken
/// comes late, and what it comes late for its neighbour has done.
class Team {
public:
    explicit Team(int threads) : threads_(threads) {
        for (int i = 1; i < threads; ++i) others_.emplace_back([this, i] { serve(i); });
    }
    ~Team() {
        start(nullptr);
        for (std::thread& other : others_) other.join();
    }
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    int threads() const { return threads_; }

    /// work(thread) on every thread; returns when all are done.
    void run(const std::function<void(int)>& work) {
        start(&work);
        work(0);
        while (busy_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
    }

private:
    static constexpr int most_spins = 2000;

    void start(const std::function<void(int)>* work) {
        busy_.store(threads_ - 1, std::memory_order_relaxed);
        {
            const std::lock_guard lock(mutex_);
            work_ = work;
            ++call_;
        }
        called_.notify_all();
    }

    void serve(int thread) {
        for (int64_t seen = 0;;) {
            for (int spin = 0; spin < most_spins && call_.load(std::memory_order_relaxed) == seen; ++spin) _mm_pause();
            const std::function<void(int)>* work = nullptr;
            {
                std::unique_lock lock(mutex_);
                called_.wait(lock, [&] { return call_ != seen; });
                seen = call_;
                work = work_;
            }
            if (!work) return;
            (*work)(thread);
            busy_.fetch_sub(1, std::memory_order_release);
        }
    }

    int threads_;
    std::mutex mutex_;
    std::condition_variable called_;
    const std::function<void(int)>* work_ = nullptr;
    std::atomic<int64_t> call_{0};
    std::atomic<int> busy_{0};
    std::vector<std::thread> others_;
};

/// Where the threads of a team meet inside their work. Spins: kernels' stages lie microseconds apart.
class Meeting {
public:
    void arrive(int threads) {
        const int64_t round = round_.load(std::memory_order_acquire);
        if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
            waiting_.store(0, std::memory_order_relaxed);
            round_.fetch_add(1, std::memory_order_release);
            return;
        }
        while (round_.load(std::memory_order_acquire) == round) std::this_thread::yield();
    }

private:
    std::atomic<int> waiting_{0};
    std::atomic<int64_t> round_{0};
};

}  // namespace liven::bench
