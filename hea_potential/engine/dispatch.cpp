#include <cstdlib>
#include <cstring>

#include "kernels.h"
#include "potential.h"

namespace hea {

extern const Kernels<float> kernels_baseline_fp32;
extern const Kernels<double> kernels_baseline_fp64;
#ifdef HEA_X86
extern const Kernels<float> kernels_avx2_fp32, kernels_avx512_fp32;
extern const Kernels<double> kernels_avx2_fp64, kernels_avx512_fp64;
#endif

namespace {

struct Choice {
  const char *name;
  bool supported;
  const Kernels<float> *fp32;
  const Kernels<double> *fp64;
};

// From the best to the plainest.
const Choice *choices(int &n) {
#ifdef HEA_X86
  static const Choice all[] = {
      {"avx512",
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma"),
       &kernels_avx512_fp32, &kernels_avx512_fp64},
      {"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), &kernels_avx2_fp32, &kernels_avx2_fp64},
      {"baseline", true, &kernels_baseline_fp32, &kernels_baseline_fp64}};
#else
  static const Choice all[] = {{"baseline", true, &kernels_baseline_fp32, &kernels_baseline_fp64}};
#endif
  n = sizeof all / sizeof all[0];
  return all;
}

// The one of that name if the processor has it.
const Choice *named(const char *name) {
  int n = 0;
  const Choice *all = choices(n);
  for (int k = 0; k < n; ++k) {
    if (all[k].supported && std::strcmp(all[k].name, name) == 0) return &all[k];
  }
  return nullptr;
}

const Choice &choose() {
  if (const char *wanted = std::getenv("HEA_SIMD")) {
    if (const Choice *choice = named(wanted)) return *choice;
  }
  int n = 0;
  const Choice *best = choices(n);
  while (!best->supported) ++best;  // the last is
  return *best;
}

const Choice &chosen() {
  static const Choice &choice = choose();
  return choice;
}

}  // namespace

template<>
const Kernels<float> &kernels<float>() {
  return *chosen().fp32;
}

template<>
const Kernels<double> &kernels<double>() {
  return *chosen().fp64;
}

template<>
const Kernels<float> *kernels_named<float>(const char *name) {
  const Choice *choice = named(name);
  return choice != nullptr ? choice->fp32 : nullptr;
}

template<>
const Kernels<double> *kernels_named<double>(const char *name) {
  const Choice *choice = named(name);
  return choice != nullptr ? choice->fp64 : nullptr;
}

const char *simd_name() {
  return chosen().name;
}

}  // namespace hea
