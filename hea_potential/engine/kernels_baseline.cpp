#include "kernels_implementation.h"

namespace hea {

extern const Kernels<float> kernels_baseline_fp32;
extern const Kernels<double> kernels_baseline_fp64;
const Kernels<float> kernels_baseline_fp32 = table<float>("baseline");
const Kernels<double> kernels_baseline_fp64 = table<double>("baseline");

}  // namespace hea
