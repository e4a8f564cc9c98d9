#include <array>
#include <bit>
#include <cstdlib>

#include "liven/core/small_vector.hpp"

namespace liven {
namespace {

struct FreeBlock {
    FreeBlock* next;
};

/// One list of free blocks a size class of 2^k bytes. Never destroyed: a thread's statics may free blocks after it has
/// ended.
struct Recycler {
    std::array<FreeBlock*, 48> free{};
};

// Trivially destructible on purpose; what a finished thread leaves in its lists is bounded by the graphs it recorded.
thread_local Recycler t_recycler;

size_t size_class(size_t bytes) { return static_cast<size_t>(std::bit_width(bytes < 64 ? size_t{63} : bytes - 1)); }

}  // namespace

void* pool_allocate(size_t bytes) {
    const size_t k = size_class(bytes);
    if (FreeBlock* block = t_recycler.free[k]) {
        t_recycler.free[k] = block->next;
        return block;
    }
    void* fresh = std::malloc(size_t{1} << k);
    if (!fresh) throw std::bad_alloc();
    return fresh;
}

void pool_free(void* block, size_t bytes) noexcept {
    const size_t k = size_class(bytes);
    t_recycler.free[k] = new (block) FreeBlock{t_recycler.free[k]};
}

void pool_trim() noexcept {
    for (FreeBlock*& first : t_recycler.free)
        while (FreeBlock* block = first) {
            first = block->next;
            std::free(block);
        }
}

}  // namespace liven
