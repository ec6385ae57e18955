// The table of kernels for the instruction set that the file is compiled for.
#pragma once

#include "edge_kernels.h"
#include "pointwise_kernels.h"
#include "product_kernels.h"

namespace hea {
namespace {

template<typename T>
constexpr Kernels<T> table(const char *name) {
  return {name,
          HEA_TILE_VECTORS * lanes<T>,
          edges_forward<T>,
          edges_backward<T>,
          multiply<T>,
          ssp<T>,
          ssp_and_slope<T>,
          times_ssp_slope<T>,
          silu_and_slope<T>,
          gated_ssp<T>,
          gated_ssp_backward<T>,
          invariants<T>,
          invariants_backward<T>};
}

}  // namespace
}  // namespace hea
