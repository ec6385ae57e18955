// A source of random bits that is quick to make: xoshiro256++ (Blackman and Vigna, ACM Trans. Math. Softw. 47, 36
// (2021)), its state filled by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, 453), as its authors advise. Whole
// numbers alone decide the bits, which are the same on all computers.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "random.h"

namespace hea::clusters {

class Stream {
 public:
  using State = std::array<std::uint64_t, 4>;

  // The stream that belongs to some numbers, in their order; others belong to others.
  explicit Stream(const std::vector<std::uint64_t> &numbers) {
    std::uint64_t sum = step;
    for (const std::uint64_t number : numbers) sum = mixed(sum ^ number) + step;
    for (std::uint64_t &word : state_) word = mixed(sum += step);
  }
  explicit Stream(const State &state) : state_(state) {}
  Stream(const Stream &) = delete;  // numpy holds its address
  Stream &operator=(const Stream &) = delete;

  std::uint64_t next() {
    const std::uint64_t result = rotated(state_[0] + state_[3], 23) + state_[0], shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotated(state_[3], 45);
    return result;
  }

  // What numpy draws from; it is valid as long as the stream.
  BitGenerator *source() { return &source_; }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio

  static std::uint64_t rotated(std::uint64_t bits, int by) { return (bits << by) | (bits >> (64 - by)); }

  static std::uint64_t mixed(std::uint64_t bits) {
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

  static std::uint64_t next_of(void *stream) { return static_cast<Stream *>(stream)->next(); }
  static std::uint32_t half_of(void *stream) { return static_cast<std::uint32_t>(next_of(stream) >> 32); }
  static double fraction_of(void *stream) { return static_cast<double>(next_of(stream) >> 11) * 0x1p-53; }

  State state_;
  BitGenerator source_{this, next_of, half_of, fraction_of, next_of};
};

}  // namespace hea::clusters
