// Seconds spent by pass, for benchmarks.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace hea {

class Stopwatch {
 public:
  void start() {
    laps_.clear();
    last_ = Clock::now();
  }
  // Books the time since the last call under a name.
  void lap(const char *name) {
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    for (auto &[known, total] : laps_) {
      if (known == name) {
        total += seconds;
        return;
      }
    }
    laps_.emplace_back(name, seconds);
  }
  const std::vector<std::pair<std::string, double>> &laps() const { return laps_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_;
  std::vector<std::pair<std::string, double>> laps_;
};

}  // namespace hea
