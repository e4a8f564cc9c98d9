#pragma once

#include <cstddef>
#include <initializer_list>
#include <new>
#include <utility>

namespace liven {

/// Memory of this thread's recycler: blocks of a power of two bytes that are kept when freed and handed out again, so
/// that recording the same graph twice asks the system for nothing the second time.
void* pool_allocate(size_t bytes);
void pool_free(void* block, size_t bytes) noexcept;
/// Gives back what this thread's recycler keeps: after work that needed many more blocks than what follows.
void pool_trim() noexcept;

/// A vector with room for N elements inside; more come from the recycler.
template <class T, size_t N>
class SmallVector {
public:
    SmallVector() = default;
    SmallVector(std::initializer_list<T> items) {
        for (const T& item : items) push_back(item);
    }
    SmallVector(const SmallVector& other) {
        for (const T& item : other) push_back(item);
    }
    SmallVector(SmallVector&& other) noexcept { take(other); }
    SmallVector& operator=(SmallVector other) noexcept {
        release();
        take(other);
        return *this;
    }
    ~SmallVector() { release(); }

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }
    T* data() { return far_ ? far_ : reinterpret_cast<T*>(near_); }
    const T* data() const { return far_ ? far_ : reinterpret_cast<const T*>(near_); }
    T& operator[](size_t i) { return data()[i]; }
    const T& operator[](size_t i) const { return data()[i]; }
    T& back() { return data()[size_ - 1]; }
    const T& back() const { return data()[size_ - 1]; }

    void push_back(T item) {
        if (size_ == capacity_) grow();
        new (data() + size_) T(std::move(item));
        ++size_;
    }
    void pop_back() { data()[--size_].~T(); }
    void clear() {
        while (size_ > 0) pop_back();
    }

private:
    void grow() {
        const size_t wider = capacity_ * 2;
        T* bigger = static_cast<T*>(pool_allocate(wider * sizeof(T)));
        for (size_t i = 0; i < size_; ++i) {
            new (bigger + i) T(std::move(data()[i]));
            data()[i].~T();
        }
        if (far_) pool_free(far_, capacity_ * sizeof(T));
        far_ = bigger;
        capacity_ = wider;
    }
    void release() noexcept {
        clear();
        if (far_) pool_free(far_, capacity_ * sizeof(T));
        far_ = nullptr;
        capacity_ = N;
    }
    void take(SmallVector& other) noexcept {
        if (other.far_) {
            far_ = std::exchange(other.far_, nullptr);
            capacity_ = std::exchange(other.capacity_, N);
            size_ = std::exchange(other.size_, 0);
            return;
        }
        for (T& item : other) push_back(std::move(item));
        other.clear();
    }

    alignas(T) std::byte near_[N * sizeof(T)];
    T* far_ = nullptr;
    size_t size_ = 0, capacity_ = N;
};

}  // namespace liven
