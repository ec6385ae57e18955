// Arrays aligned for vector loads, new elements zero.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace hea {

template<typename T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  AlignedAllocator() = default;
  template<typename U>
  AlignedAllocator(const AlignedAllocator<U> &) {}
  T *allocate(std::size_t n) { return static_cast<T *>(::operator new(n * sizeof(T), alignment)); }
  void deallocate(T *p, std::size_t) { ::operator delete(p, alignment); }
  template<typename U>
  bool operator==(const AlignedAllocator<U> &) const {
    return true;
  }
  template<typename U>
  bool operator!=(const AlignedAllocator<U> &) const {
    return false;
  }
};

template<typename T>
using Aligned = std::vector<T, AlignedAllocator<T>>;

}  // namespace hea
