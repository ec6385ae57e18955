#include "kernels_implementation.h"

namespace hea {

extern const Kernels<float> kernels_avx512_fp32;
extern const Kernels<double> kernels_avx512_fp64;
const Kernels<float> kernels_avx512_fp32 = table<float>("avx512");
const Kernels<double> kernels_avx512_fp64 = table<double>("avx512");

}  // namespace hea
