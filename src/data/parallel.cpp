#include "src/data/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace liven::data {
namespace {

class Crew {
public:
    Crew(int64_t count, const std::function<void(int64_t)>& work, const ProgressCallback& progress)
        : count_(count), work_(work), progress_(progress) {}

    void run() noexcept {
        for (int64_t i = next_++; i < count_; i = next_++) try {
                work_(i);
                report();
            } catch (...) {
                fail(std::current_exception());
            }
    }
    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

private:
    void report() {
        const std::lock_guard lock(mutex_);
        ++done_;
        if (progress_) progress_(done_, count_);
    }
    void fail(std::exception_ptr error) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::move(error);
        next_ = count_;
    }

    const int64_t count_;
    const std::function<void(int64_t)>& work_;
    const ProgressCallback& progress_;
    std::atomic<int64_t> next_{0};
    std::mutex mutex_;
    int64_t done_ = 0;
    std::exception_ptr error_;
};

}  // namespace

void parallel_for(int64_t count, int threads, const std::function<void(int64_t)>& work,
                  const ProgressCallback& progress) {
    const int64_t wanted = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
    Crew crew(count, work, progress);
    std::vector<std::jthread> helpers;
    for (int64_t i = 1; i < std::min(wanted, count); ++i) helpers.emplace_back([&crew] { crew.run(); });
    crew.run();
    helpers.clear();
    crew.rethrow();
}

}  // namespace liven::data
