// The heap of the C++ tests: counts allocations, and searches freed blocks.
#include "heap.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

/// Each block is preceded by its size, padded to keep the block's alignment.
constexpr std::size_t head = alignof(std::max_align_t);
static_assert(head >= sizeof(std::size_t));

void give_back(void* block) noexcept {
    if (block == nullptr) {
        return;
    }
    const char* const text = static_cast<const char*>(block);
    void* const room = static_cast<char*>(block) - head;
    if (!heap::hunted.empty()) {
        const std::string_view all(text, *static_cast<std::size_t*>(room));
        heap::found += all.find(heap::hunted) == std::string_view::npos ? 0 : 1;
    }
    std::free(room);
}

}  // namespace

void* operator new(std::size_t size) {
    heap::allocations += heap::counting ? 1 : 0;
    void* const room = std::malloc(head + size);
    if (room == nullptr) {
        std::abort();
    }
    *static_cast<std::size_t*>(room) = size;
    return static_cast<char*>(room) + head;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return heap::exhausted ? nullptr : operator new(size); }
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
