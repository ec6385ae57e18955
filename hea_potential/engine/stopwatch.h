// Processor time of the calling thread by pass, for benchmarks; it does nothing unless it is started.
#pragma once

#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace hea {

class Stopwatch {
 public:
  void start(bool running) {
    running_ = running;
    laps_.clear();
    if (running_) last_ = now();
  }

  // Books the time since the last call under a name.
  void lap(const char *name) {
    if (!running_) return;
    const double time = now(), seconds = time - last_;
    last_ = time;
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
  static double now() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  bool running_ = false;
  double last_ = 0.0;
  std::vector<std::pair<std::string, double>> laps_;
};

}  // namespace hea
