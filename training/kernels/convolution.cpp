// Python module hea_training._convolution: the kernels of convolution.h on torch's CPU tensors (DLPack, no copies).
#include "convolution.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace nb = nanobind;
using namespace hea_training;

// One clone a CPU generation, chosen at load: no -march=native in a wheel.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define HEA_CLONES \
  __attribute__((target_clones("arch=sapphirerapids", "arch=skylake-avx512", "arch=haswell", "default")))
#else
#define HEA_CLONES
#endif

#define HEA_INSTANTIATE(T)                                                                                           \
  HEA_CLONES void forward(const Shape &s, const Edges<T> &e, const T *table, const T *y, T *q) {                     \
    if (e.velocity)                                                                                                  \
      convolve<T, true>(s, e, table, y, q);                                                                          \
    else                                                                                                             \
      convolve<T, false>(s, e, table, y, q);                                                                         \
  }                                                                                                                  \
  HEA_CLONES void backward(const Shape &s, const Edges<T> &e, const T *table, const T *y, const T *qg, T *yg, T *dg, \
                           T *tg) {                                                                                  \
    if (e.velocity)                                                                                                  \
      convolve_backward<T, true>(s, e, table, y, qg, yg, dg, tg);                                                    \
    else                                                                                                             \
      convolve_backward<T, false>(s, e, table, y, qg, yg, dg, tg);                                                   \
  }

HEA_INSTANTIATE(float)
HEA_INSTANTIATE(double)

namespace {

using Index = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template<class T, int n>
using In = nb::ndarray<const T, nb::ndim<n>, nb::c_contig, nb::device::cpu>;
template<class T, int n>
using Out = nb::ndarray<T, nb::ndim<n>, nb::c_contig, nb::device::cpu>;

void require(bool holds, const char *what) {
  if (!holds) throw std::invalid_argument(std::string("convolution: ") + what);
}

// Checks every size, and that atoms and pairs are in range: a wrong index here would write outside the arrays.
template<class T>
Shape checked(const Index &first, const Index &second, const Index &pair, const In<T, 2> &displacement,
              const std::optional<In<T, 2>> &velocity, const In<T, 3> &table, const In<T, 3> &y, int n_angular,
              double cutoff) {
  const Shape s{static_cast<std::int64_t>(first.shape(0)),     static_cast<std::int64_t>(y.shape(1)),
                static_cast<std::int64_t>(y.shape(2)),         n_angular,
                static_cast<std::int64_t>(table.shape(1)) - 3, cutoff};
  const auto edges = first.shape(0);
  require(second.shape(0) == edges && pair.shape(0) == edges && displacement.shape(0) == edges &&
              displacement.shape(1) == 3,
          "first, second, pair and displacement must have one row an edge");
  require(!velocity || (velocity->shape(0) == edges && velocity->shape(1) == 3),
          "velocity must have the shape of displacement");
  require(y.shape(0) == (velocity ? 2u : 1u),
          "y must hold one row of values, and one of rates when velocities are given");
  require(s.intervals >= 1 && static_cast<std::int64_t>(table.shape(2)) == s.channels(),
          "table must be [pairs, n + 3, F + 2 A]");
  require(n_angular >= 0 && n_angular <= s.features, "n_angular must lie in 0..F");
  require(cutoff > 0, "cutoff must be positive");
  const auto n_pairs = static_cast<std::int64_t>(table.shape(0));
  for (std::size_t e = 0; e < edges; ++e)
    require(first(e) >= 0 && first(e) < s.atoms && second(e) >= 0 && second(e) < s.atoms && pair(e) >= 0 &&
                pair(e) < n_pairs,
            "an edge names an atom or a pair that does not exist");
  return s;
}

template<class T>
void convolve_py(Index first, Index second, Index pair, In<T, 2> displacement, std::optional<In<T, 2>> velocity,
                 In<T, 3> table, In<T, 3> y, Out<T, 3> q, int n_angular, double cutoff) {
  const Shape s = checked<T>(first, second, pair, displacement, velocity, table, y, n_angular, cutoff);
  require(q.shape(0) == y.shape(0) && q.shape(1) == y.shape(1) && static_cast<std::int64_t>(q.shape(2)) == s.row(),
          "q must be [k, atoms, F + 8 A]");
  const Edges<T> edges{first.data(), second.data(), pair.data(), displacement.data(),
                       velocity ? velocity->data() : nullptr};
  forward(s, edges, table.data(), y.data(), q.data());
}

template<class T>
void convolve_backward_py(Index first, Index second, Index pair, In<T, 2> displacement,
                          std::optional<In<T, 2>> velocity, In<T, 3> table, In<T, 3> y, In<T, 3> q_grad,
                          Out<T, 3> y_grad, std::optional<Out<T, 2>> displacement_grad,
                          std::optional<Out<T, 3>> table_grad, int n_angular, double cutoff) {
  const Shape s = checked<T>(first, second, pair, displacement, velocity, table, y, n_angular, cutoff);
  require(q_grad.shape(0) == y.shape(0) && q_grad.shape(1) == y.shape(1) &&
              static_cast<std::int64_t>(q_grad.shape(2)) == s.row(),
          "q_grad must be [k, atoms, F + 8 A]");
  require(y_grad.shape(0) == y.shape(0) && y_grad.shape(1) == y.shape(1) && y_grad.shape(2) == y.shape(2),
          "y_grad must have the shape of y");
  require(!displacement_grad || !velocity, "displacement_grad belongs to the pass without velocities");
  require(!displacement_grad || (displacement_grad->shape(0) == first.shape(0) && displacement_grad->shape(1) == 3),
          "displacement_grad must have the shape of displacement");
  require(!table_grad || (table_grad->shape(0) == table.shape(0) && table_grad->shape(1) == table.shape(1) &&
                          table_grad->shape(2) == table.shape(2)),
          "table_grad must have the shape of table");
  const Edges<T> edges{first.data(), second.data(), pair.data(), displacement.data(),
                       velocity ? velocity->data() : nullptr};
  backward(s, edges, table.data(), y.data(), q_grad.data(), y_grad.data(),
           displacement_grad ? displacement_grad->data() : nullptr, table_grad ? table_grad->data() : nullptr);
}

template<class T>
void define(nb::module_ &m) {
  m.def("convolve", &convolve_py<T>, nb::arg("first"), nb::arg("second"), nb::arg("pair"), nb::arg("displacement"),
        nb::arg("velocity").none(), nb::arg("table"), nb::arg("y"), nb::arg("q"), nb::arg("n_angular"),
        nb::arg("cutoff"));
  m.def("convolve_backward", &convolve_backward_py<T>, nb::arg("first"), nb::arg("second"), nb::arg("pair"),
        nb::arg("displacement"), nb::arg("velocity").none(), nb::arg("table"), nb::arg("y"), nb::arg("q_grad"),
        nb::arg("y_grad"), nb::arg("displacement_grad").none(), nb::arg("table_grad").none(), nb::arg("n_angular"),
        nb::arg("cutoff"));
}

}  // namespace

NB_MODULE(_convolution, m) {
  m.doc() = "Filter convolution and its derivatives on CPU tensors, float32 and float64 (kernels/convolution.h).";
  define<float>(m);
  define<double>(m);
}
