#pragma once

#include <cstddef>
#include <cstdint>

namespace liven {

/// Shared, 64-byte aligned memory. Copying a Buffer shares it; `unique()` tells whether anybody else holds it.
/// Freed blocks go to a small process-wide pool, so a steady training step asks the system for nothing.
class Buffer {
public:
    Buffer() = default;
    /// Uninitialised memory, its size rounded up to whole cache lines. Throws Error when the machine has not that much.
    explicit Buffer(size_t bytes);
    Buffer(const Buffer& other) noexcept;
    Buffer(Buffer&& other) noexcept : block_(other.block_) { other.block_ = nullptr; }
    Buffer& operator=(Buffer other) noexcept;
    ~Buffer();

    explicit operator bool() const { return block_ != nullptr; }
    size_t bytes() const;
    void* data() const;
    template <class T>
    T* as() const {
        return static_cast<T*>(data());
    }
    bool unique() const;
    bool same(const Buffer& other) const { return block_ == other.block_; }

    /// Bytes held by live buffers, and bytes waiting in the pool.
    struct Usage {
        size_t live = 0;
        size_t pooled = 0;
    };
    static Usage usage();
    /// Gives the pool's memory back to the system, and what the heap has to spare. Takes milliseconds.
    static void trim();

private:
    struct Block;
    Block* block_ = nullptr;
};

}  // namespace liven
