#include "kernels_implementation.h"

namespace hea {

extern const Kernels<float> kernels_avx2_fp32;
extern const Kernels<double> kernels_avx2_fp64;
const Kernels<float> kernels_avx2_fp32 = table<float>("avx2");
const Kernels<double> kernels_avx2_fp64 = table<double>("avx2");

}  // namespace hea
