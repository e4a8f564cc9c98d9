#include "liven/core/buffer.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"

namespace liven {

/// The header lies in its own cache line in front of the data.
struct alignas(64) Buffer::Block {
    std::atomic<int64_t> references{1};
    size_t bytes = 0;
    Block* next_free = nullptr;
};

namespace {

constexpr size_t kLine = 64;
constexpr size_t kPoolLimit = size_t{1} << 30;
std::atomic<size_t> g_live{0};

size_t round_up(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

/// Null when there is no such memory. From 2 MiB on in huge pages where the system has them: prefetchers stop at the
/// end of a page, and neighbouring small pages may share their place in the caches. What does not fill the last huge
/// page lies in small ones, so that nothing is wasted.
void* allocate(size_t bytes) {
    constexpr size_t page = size_t{2} << 20;
    if (bytes < page) return std::aligned_alloc(kLine, bytes);
    void* memory = nullptr;
    if (posix_memalign(&memory, page, bytes) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
    static_cast<void>(madvise(memory, bytes / page * page, MADV_HUGEPAGE));  // a wish: refusal is no error
#endif
    return memory;
}

}  // namespace

namespace detail {

/// Free blocks by size; exact fits only, which is what a repeated training step asks for.
template <class Block>
class BlockPool {
public:
    static BlockPool& instance() {
        static BlockPool* pool = new BlockPool;  // never destroyed: buffers may outlive every static
        return *pool;
    }
    Block* take(size_t bytes) {
        const std::lock_guard lock(mutex_);
        auto it = free_.find(bytes);
        if (it == free_.end() || !it->second) return nullptr;
        Block* block = it->second;
        it->second = block->next_free;
        pooled_ -= bytes;
        return block;
    }
    bool give(Block* block) {
        const std::lock_guard lock(mutex_);
        if (pooled_ + block->bytes > kPoolLimit) return false;
        Block*& head = free_[block->bytes];
        block->next_free = head;
        head = block;
        pooled_ += block->bytes;
        return true;
    }
    size_t pooled() {
        const std::lock_guard lock(mutex_);
        return pooled_;
    }
    void trim() {
        const std::lock_guard lock(mutex_);
        for (auto& [bytes, head] : free_)
            while (head) std::free(std::exchange(head, head->next_free));
        pooled_ = 0;
    }

private:
    std::mutex mutex_;
    std::map<size_t, Block*> free_;
    size_t pooled_ = 0;
};

}  // namespace detail

Buffer::Buffer(size_t bytes) {
    const size_t size = round_up(bytes == 0 ? 1 : bytes);
    if (size < bytes) throw Error("buffer", "cannot allocate " + std::to_string(bytes) + " bytes");
    block_ = detail::BlockPool<Block>::instance().take(size);
    if (block_) {
        block_->references.store(1, std::memory_order_relaxed);
    } else {
        void* memory = size > SIZE_MAX - sizeof(Block) ? nullptr : allocate(size + sizeof(Block));
        if (!memory)
            throw Error("buffer", "the system has no " + std::to_string(bytes) + " bytes left",
                        "use a smaller batch or input size");
        block_ = new (memory) Block;
        block_->bytes = size;
    }
    g_live += size;
}

Buffer::Buffer(const Buffer& other) noexcept : block_(other.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
}

Buffer& Buffer::operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
}

Buffer::~Buffer() {
    if (!block_ || block_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    g_live -= block_->bytes;
    if (!detail::BlockPool<Block>::instance().give(block_)) std::free(block_);
}

size_t Buffer::bytes() const { return block_ ? block_->bytes : 0; }
void* Buffer::data() const { return block_ ? static_cast<void*>(block_ + 1) : nullptr; }
bool Buffer::unique() const { return block_ && block_->references.load(std::memory_order_acquire) == 1; }

Buffer::Usage Buffer::usage() {
    return {.live = g_live.load(), .pooled = detail::BlockPool<Block>::instance().pooled()};
}
void Buffer::trim() {
    detail::BlockPool<Block>::instance().trim();
#ifdef __GLIBC__
    malloc_trim(0);  // blocks below the size that is mapped by itself stay with the process otherwise
#endif
}

}  // namespace liven
