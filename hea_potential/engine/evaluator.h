// The staged passes of one evaluation in one precision.
#pragma once

#include <memory>
#include <vector>

#include "bonds.h"
#include "gates.h"
#include "kernels.h"
#include "potential.h"
#include "stopwatch.h"
#include "uncertainty.h"
#include "weights.h"

namespace hea {

template<typename T>
class Evaluator {
 public:
  // `used`: different indices into model.elements, the species; model must outlive the evaluator.
  Evaluator(const Model &model, const std::vector<int> &used);

  // species[n_all] of the atoms, -1 for atoms that this potential leaves alone.
  void evaluate(const Configuration &configuration, const std::vector<int> &species, const Options &options,
                Exchange *exchange, Result &result);

  const Weights<T> &weights() const { return weights_; }
  const Stopwatch &stopwatch() const { return stopwatch_; }

 private:
  // Atoms of one species, with gates open or closed, at positions begin .. end-1 of order_.
  struct Segment {
    int begin, end, species;
    bool gated;
  };
  template<typename Work>
  void for_segments(int begin, int end, Work work) const;
  template<typename Work>
  void for_gated_rows(Work work) const;

  void find_isolated_features();
  void sort_atoms(int n_owned);
  void spread_gates();
  void collect_gate_gradients();
  void interactions_forward(Exchange *exchange);
  void interactions_backward(Exchange *exchange);
  void update_forward(int layer, int begin, int end);
  void update_backward(int layer, int begin, int end);
  void adapter_forward(int layer, const Segment &segment, const T *q, int first);
  void adapter_backward(int layer, const Segment &segment, T *q_gradient, int first);
  void heads_forward(const std::vector<double> &out, Result &result);
  void heads_backward(const std::vector<double> &out);
  std::vector<double> last_layer(const Options &options) const;
  double uncertainty(const Options &options, Exchange *exchange, Result &result, std::vector<double> &out);

  const Kernels<T> &kernels_;
  const Model &model_;
  std::vector<int> used_;
  Weights<T> weights_;
  Bonds<T> bonds_;
  Gates gates_;
  std::unique_ptr<Uncertainty> uncertainty_;
  Stopwatch stopwatch_;
  Aligned<T> isolated_;  // act(H x_iso + c) by species

  // Of the current configuration.
  const std::vector<int> *species_ = nullptr;
  std::vector<int> order_;  // owned atoms, sorted by species and open gates
  std::vector<Segment> segments_;
  Aligned<T> x_;                  // [order][features], then its gradient
  Aligned<T> head_slope_;         // [order][hidden]
  std::vector<double> features_;  // [S * D], f summed by element of the model
  // By interaction: [n_all][..] for rows that are exchanged, [order][..] for the others.
  std::vector<Aligned<T>> y_, message_, hidden_, adapter_hidden_;  // message_ is later its gradient
  Aligned<T> y_gradient_;
  Aligned<T> gate_rows_, gate_row_gradients_;  // [order][adapter rows]
  Aligned<T> block_[3];                        // rows of a block of atoms
};

}  // namespace hea
