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

const Choice &choose() {
  int n = 0;
  const Choice *all = choices(n);
  const char *limit = std::getenv("HEA_SIMD");
  bool allowed = true;  // unless the limit names a plainer one, which has not come yet
  for (int k = 0; k < n && limit != nullptr; ++k) allowed = allowed && std::strcmp(all[k].name, limit) != 0;
  allowed = allowed || limit == nullptr;
  for (int k = 0; k < n - 1; ++k) {
    if (limit != nullptr && std::strcmp(all[k].name, limit) == 0) allowed = true;
    if (allowed && all[k].supported) return all[k];
  }
  return all[n - 1];
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

const char *simd_name() { return chosen().name; }

}  // namespace hea
