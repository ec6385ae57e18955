#include "evaluator.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "row_offset.h"

namespace hea {

template<typename T>
Evaluator<T>::Evaluator(const Model &model, const std::vector<int> &used)
    : kernels_(kernels<T>()),
      model_(model),
      used_(used),
      weights_(model, used, kernels_),
      bonds_(model, used),
      gates_(static_cast<int>(used.size())) {
  const auto n_interactions = static_cast<std::size_t>(model.n_interactions);
  y_.resize(n_interactions);
  message_.resize(n_interactions);
  hidden_.resize(n_interactions);
  adapter_hidden_.resize(n_interactions);
  const int widest = std::max({weights_.widths.channels(), padded(weights_.n_hidden), weights_.adapter_rows});
  for (Aligned<T> &rows : block_) rows.resize(offset(block_atoms, widest));
  find_isolated_features();
}

// Evaluates one lone atom of each species with the same code, so that its energy is E0 to the last bit.
template<typename T>
void Evaluator<T>::find_isolated_features() {
  std::vector<int> species(used_.size());
  std::iota(species.begin(), species.end(), 0);
  const std::vector<std::int64_t> first(used_.size() + 1, 0);
  Configuration lone;
  lone.n_owned = lone.n_all = static_cast<int>(used_.size());
  lone.first = first.data();
  Result result;
  isolated_.assign(offset(weights_.n_species, padded(weights_.n_hidden)), T(0));
  evaluate(lone, species, Options{}, nullptr, result);
  for (int s = 0; s < weights_.n_species; ++s) {
    const double *sums = features_.data() + offset(used_[static_cast<std::size_t>(s)], weights_.n_hidden);
    T *isolated = isolated_.data() + offset(s, padded(weights_.n_hidden));
    for (int p = 0; p < weights_.n_hidden; ++p) isolated[p] = static_cast<T>(sums[p]);
  }
}

template<typename T>
void Evaluator<T>::evaluate(const Configuration &configuration, const std::vector<int> &species, const Options &options,
                            Exchange *exchange, Result &result) {
  stopwatch_.start(options.time_passes);
  species_ = &species;
  result.energy = 0.0;
  result.sigma = 0.0;
  const bool gated = weights_.gated();
  bonds_.build(configuration, species, gated ? gates_.densities(configuration.n_all) : nullptr, result);
  stopwatch_.lap("bonds");
  if (gated) gates_.forward(species, configuration.n_owned, exchange);
  sort_atoms(configuration.n_owned);
  if (gated) spread_gates();
  stopwatch_.lap("gates");
  interactions_forward(exchange);
  std::vector<double> out = last_layer(options);
  heads_forward(out, result);
  result.sigma = uncertainty(options, exchange, result, out);
  heads_backward(out);
  stopwatch_.lap("heads");
  if (result.force != nullptr || result.virial != nullptr || result.atom_virial != nullptr) {
    interactions_backward(exchange);
    if (gated) collect_gate_gradients();
    const double *by_density = gated ? gates_.backward(species, configuration.n_owned, exchange) : nullptr;
    stopwatch_.lap("gates");
    bonds_.finish(species, by_density, result);
    stopwatch_.lap("forces");
  }
}

template<typename T>
void Evaluator<T>::sort_atoms(int n_owned) {
  const std::size_t n_keys = 2 * used_.size();
  const auto key = [this](int i) {
    const int species = (*species_)[static_cast<std::size_t>(i)];
    return static_cast<std::size_t>(2 * species + (weights_.gated() && gates_.open(i) ? 1 : 0));
  };
  std::vector<int> begin(n_keys + 1, 0);
  std::vector<std::size_t> keys(static_cast<std::size_t>(n_owned));
  for (int i = 0; i < n_owned; ++i) {
    if ((*species_)[static_cast<std::size_t>(i)] < 0) continue;
    ++begin[(keys[static_cast<std::size_t>(i)] = key(i)) + 1];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  segments_.clear();
  for (std::size_t k = 0; k < n_keys; ++k) {
    if (begin[k] < begin[k + 1]) segments_.push_back({begin[k], begin[k + 1], static_cast<int>(k / 2), k % 2 == 1});
  }
  order_.resize(static_cast<std::size_t>(begin.back()));
  for (int i = 0; i < n_owned; ++i) {
    if ((*species_)[static_cast<std::size_t>(i)] < 0) continue;
    order_[static_cast<std::size_t>(begin[keys[static_cast<std::size_t>(i)]]++)] = i;
  }
}

// The gates of the rows of the adapters, as the kernels read them.
template<typename T>
void Evaluator<T>::spread_gates() {
  gate_rows_.assign(offset(static_cast<int>(order_.size()), weights_.adapter_rows), T(0));
  gate_row_gradients_.assign(gate_rows_.size(), T(0));
  for_gated_rows([this](int atom, const AdapterGroup &group, std::size_t row) {
    std::fill_n(gate_rows_.data() + row, group.end - group.begin, static_cast<T>(gates_.of(atom)[group.gate]));
  });
}

template<typename T>
void Evaluator<T>::collect_gate_gradients() {
  for_gated_rows([this](int atom, const AdapterGroup &group, std::size_t row) {
    const T *gradient = gate_row_gradients_.data() + row;
    gates_.gradient(atom)[group.gate] +=
        static_cast<double>(std::accumulate(gradient, gradient + (group.end - group.begin), T(0)));
  });
}

// Calls work(atom, group, place of the group's first row) for the atoms with open gates.
template<typename T>
template<typename Work>
void Evaluator<T>::for_gated_rows(Work work) const {
  for (const Segment &segment : segments_) {
    const auto species = static_cast<std::size_t>(segment.species);
    for (int k = segment.begin; segment.gated && k < segment.end; ++k) {
      for (const AdapterGroup &group : weights_.adapter_groups[species]) {
        work(order_[static_cast<std::size_t>(k)], group,
             offset(k, weights_.adapter_rows) + static_cast<std::size_t>(group.begin));
      }
    }
  }
}

// Calls work(segment) for the parts of segments that lie within positions begin .. end-1.
template<typename T>
template<typename Work>
void Evaluator<T>::for_segments(int begin, int end, Work work) const {
  for (Segment segment : segments_) {
    segment.begin = std::max(segment.begin, begin);
    segment.end = std::min(segment.end, end);
    if (segment.begin < segment.end) work(segment);
  }
}

template<typename T>
void Evaluator<T>::interactions_forward(Exchange *exchange) {
  const Widths &w = weights_.widths;
  const int n_all = static_cast<int>(species_->size()), n_sorted = static_cast<int>(order_.size());
  x_.resize(offset(n_sorted, w.features));
  for (int k = 0; k < n_sorted; ++k) {
    const int species = (*species_)[static_cast<std::size_t>(order_[static_cast<std::size_t>(k)])];
    std::copy_n(weights_.embedding.data() + offset(species, w.features), w.features, x_.data() + offset(k, w.features));
  }
  // The first y depends on the species alone: ghosts need no exchange.
  y_[0].assign(offset(n_all, w.features), T(0));
  for (int i = 0; i < n_all; ++i) {
    const int species = (*species_)[static_cast<std::size_t>(i)];
    if (species >= 0) {
      std::copy_n(weights_.first_y.data() + offset(species, w.features), w.features,
                  y_[0].data() + offset(i, w.features));
    }
  }
  for (int l = 0; l < model_.n_interactions; ++l) {
    const auto layer = static_cast<std::size_t>(l);
    const bool last = l + 1 == model_.n_interactions;
    message_[layer].assign(offset(n_all, w.message()), T(0));
    hidden_[layer].resize(offset(n_sorted, w.features));
    if (!last) y_[layer + 1].resize(offset(n_all, w.features));
    if (weights_.gated()) adapter_hidden_[layer].resize(offset(n_sorted, weights_.adapter_rows));
    stopwatch_.lap("layers, forward");
    kernels_.edges_forward(bonds_.list(), w, weights_.interactions[layer].table.data(), y_[layer].data(),
                           message_[layer].data());
    stopwatch_.lap("edges, forward");
    if (exchange != nullptr) exchange->from_ghosts(message_[layer].data(), w.message());
    stopwatch_.lap("exchange");
    for (int begin = 0; begin < n_sorted; begin += block_atoms) {
      update_forward(l, begin, std::min(begin + block_atoms, n_sorted));
    }
    stopwatch_.lap("layers, forward");
    if (exchange != nullptr && !last) exchange->to_ghosts(y_[layer + 1].data(), w.features);
    stopwatch_.lap("exchange");
  }
}

// Messages to new x of a block of atoms, and their y for the next interaction.
template<typename T>
void Evaluator<T>::update_forward(int l, int begin, int end) {
  const Interaction<T> &layer = weights_.interactions[static_cast<std::size_t>(l)];
  const Widths &w = weights_.widths;
  const int f = w.features, c = w.channels(), n = end - begin;
  const int *atom = order_.data() + begin;
  const T *message = message_[static_cast<std::size_t>(l)].data();
  T *q = block_[0].data(), *activation = block_[1].data(), *next_y = block_[2].data();
  T *hidden = hidden_[static_cast<std::size_t>(l)].data() + offset(begin, f), *x = x_.data() + offset(begin, f);

  for (int k = 0; k < n; ++k) kernels_.invariants(w, message + offset(atom[k], w.message()), q + offset(k, c));
  kernels_.multiply(n, f, c, q, c, layer.f2out1.forward.data(), layer.bias1.data(), false, hidden, f);
  kernels_.ssp(static_cast<std::ptrdiff_t>(offset(n, f)), hidden, activation);
  kernels_.multiply(n, f, f, activation, f, layer.f2out2.forward.data(), layer.bias2.data(), true, x, f);
  for_segments(begin, end, [&](const Segment &segment) {
    if (segment.gated) adapter_forward(l, segment, q + offset(segment.begin - begin, c), segment.begin);
  });
  if (l + 1 == model_.n_interactions) return;

  const Interaction<T> &next = weights_.interactions[static_cast<std::size_t>(l) + 1];
  kernels_.multiply(n, f, f, x, f, next.in2f.forward.data(), nullptr, false, next_y, f);
  T *y = y_[static_cast<std::size_t>(l) + 1].data();
  for (int k = 0; k < n; ++k) std::copy_n(next_y + offset(k, f), f, y + offset(atom[k], f));
}

// x += G2 (gamma * ssp(G1 q)) of the atoms of a segment; `first` is the position of the row q.
template<typename T>
void Evaluator<T>::adapter_forward(int l, const Segment &segment, const T *q, int first) {
  const auto species = static_cast<std::size_t>(segment.species);
  const Adapter<T> &adapter = weights_.interactions[static_cast<std::size_t>(l)].adapter[species];
  const int rows = adapter.in.n_out, n = segment.end - segment.begin, f = weights_.widths.features;
  T *hidden = adapter_hidden_[static_cast<std::size_t>(l)].data() + offset(first, weights_.adapter_rows),
    *activation = block_[1].data();
  kernels_.multiply(n, rows, adapter.in.n_in, q, adapter.in.n_in, adapter.in.forward.data(), nullptr, false, hidden,
                    rows);
  kernels_.gated_ssp(static_cast<std::ptrdiff_t>(offset(n, rows)), hidden,
                     gate_rows_.data() + offset(first, weights_.adapter_rows), activation);
  kernels_.multiply(n, f, rows, activation, rows, adapter.out.forward.data(), nullptr, true,
                    x_.data() + offset(first, f), f);
}

// Last-layer weights by species.
template<typename T>
std::vector<double> Evaluator<T>::last_layer(const Options &options) const {
  const auto d = static_cast<std::size_t>(weights_.n_hidden);
  std::vector<double> out;
  for (std::size_t s = 0; s < used_.size(); ++s) {
    const double *given = options.last_layer != nullptr ? options.last_layer + static_cast<std::size_t>(used_[s]) * d
                                                        : weights_.heads[s].out.data();
    out.insert(out.end(), given, given + d);
  }
  return out;
}

template<typename T>
void Evaluator<T>::heads_forward(const std::vector<double> &out, Result &result) {
  const int f = weights_.widths.features, d = weights_.n_hidden, dp = padded(d);
  head_slope_.resize(offset(static_cast<int>(order_.size()), dp));
  features_.assign(offset(model_.n_elements(), d), 0.0);
  T *hidden = block_[0].data(), *value = block_[1].data();
  for (int begin = 0; begin < static_cast<int>(order_.size()); begin += block_atoms) {
    for_segments(begin, begin + block_atoms, [&](const Segment &segment) {
      const auto species = static_cast<std::size_t>(segment.species);
      const Head<T> &head = weights_.heads[species];
      const int n = segment.end - segment.begin;
      const auto n_values = static_cast<std::ptrdiff_t>(offset(n, dp));
      kernels_.multiply(n, dp, f, x_.data() + offset(segment.begin, f), f, head.hidden.forward.data(), head.bias.data(),
                        false, hidden, dp);
      (weights_.silu ? kernels_.silu_and_slope : kernels_.ssp_and_slope)(
          n_values, hidden, value, head_slope_.data() + offset(segment.begin, dp));
      const T *isolated = isolated_.data() + offset(segment.species, dp);
      const double *weight = out.data() + offset(segment.species, d);
      double *sums = features_.data() + offset(used_[species], d);
      for (int k = 0; k < n; ++k) {
        double energy = head.e0;
        for (int p = 0; p < d; ++p) {
          const double feature = static_cast<double>(value[offset(k, dp) + static_cast<std::size_t>(p)]) -
                                 static_cast<double>(isolated[p]);
          sums[p] += feature;
          energy += weight[p] * feature;
        }
        result.energy += energy;
        const auto atom = static_cast<std::size_t>(order_[static_cast<std::size_t>(segment.begin + k)]);
        if (result.atom_energy != nullptr) result.atom_energy[atom] += energy;
      }
    });
  }
}

// sigma of the whole system if it is asked for; takes out, the last-layer weights by species, from those of E to those
// of E - kappa sigma.
template<typename T>
double Evaluator<T>::uncertainty(const Options &options, Exchange *exchange, Result &result, std::vector<double> &out) {
  const auto d = static_cast<std::size_t>(weights_.n_hidden);
  const bool wanted = options.want_sigma || options.kappa != 0.0;
  if (wanted || result.features != nullptr) {
    if (exchange != nullptr) exchange->sum_over_ranks(features_.data(), static_cast<int>(features_.size()));
    if (result.features != nullptr) std::copy(features_.begin(), features_.end(), result.features);
  }
  double sigma = 0.0;
  std::vector<double> gradient(features_.size(), 0.0);
  if (wanted) {
    if (!model_.has_sigma)
      throw std::invalid_argument("the model has no uncertainty ('sigma' and 'gram'): kappa must be 0");
    if (uncertainty_ == nullptr) uncertainty_ = std::make_unique<Uncertainty>(model_);
    sigma = uncertainty_->sigma(features_, gradient);
  }
  for (std::size_t s = 0; s < used_.size(); ++s) {
    for (std::size_t p = 0; p < d; ++p) {
      out[s * d + p] -= options.kappa * gradient[static_cast<std::size_t>(used_[s]) * d + p];
    }
  }
  return sigma;
}

template<typename T>
void Evaluator<T>::heads_backward(const std::vector<double> &out) {
  const int f = weights_.widths.features, d = weights_.n_hidden, dp = padded(d);
  for (const Segment &segment : segments_) {
    Aligned<T> factor(static_cast<std::size_t>(dp));
    for (int p = 0; p < d; ++p)
      factor[static_cast<std::size_t>(p)] =
          static_cast<T>(out[offset(segment.species, d) + static_cast<std::size_t>(p)]);
    T *slope = head_slope_.data() + offset(segment.begin, dp);
    const int n = segment.end - segment.begin;
    for (int k = 0; k < n; ++k) {
      for (int p = 0; p < dp; ++p)
        slope[offset(k, dp) + static_cast<std::size_t>(p)] *= factor[static_cast<std::size_t>(p)];
    }
    kernels_.multiply(n, f, dp, slope, dp,
                      weights_.heads[static_cast<std::size_t>(segment.species)].hidden.backward.data(), nullptr, false,
                      x_.data() + offset(segment.begin, f), f);
  }
}

template<typename T>
void Evaluator<T>::interactions_backward(Exchange *exchange) {
  const Widths &w = weights_.widths;
  const int n_all = static_cast<int>(species_->size()), n_sorted = static_cast<int>(order_.size());
  for (int l = model_.n_interactions - 1; l >= 0; --l) {
    const auto layer = static_cast<std::size_t>(l);
    for (int begin = 0; begin < n_sorted; begin += block_atoms) {
      update_backward(l, begin, std::min(begin + block_atoms, n_sorted));
    }
    stopwatch_.lap("layers, backward");
    if (exchange != nullptr) exchange->to_ghosts(message_[layer].data(), w.message());
    stopwatch_.lap("exchange");
    // Nothing depends on the first y.
    if (l > 0) y_gradient_.assign(offset(n_all, w.features), T(0));
    kernels_.edges_backward(bonds_.list(), w, weights_.interactions[layer].table.data(), y_[layer].data(),
                            message_[layer].data(), l > 0 ? y_gradient_.data() : nullptr, bonds_.gradients());
    stopwatch_.lap("edges, backward");
    if (exchange != nullptr && l > 0) exchange->from_ghosts(y_gradient_.data(), w.features);
    stopwatch_.lap("exchange");
  }
}

// Completes the gradient by x with what came through the next interaction's y, then takes it back to the messages,
// which it replaces.
template<typename T>
void Evaluator<T>::update_backward(int l, int begin, int end) {
  const Interaction<T> &layer = weights_.interactions[static_cast<std::size_t>(l)];
  const Widths &w = weights_.widths;
  const int f = w.features, c = w.channels(), n = end - begin;
  const int *atom = order_.data() + begin;
  T *x_gradient = x_.data() + offset(begin, f);
  T *activation = block_[1].data(), *q_gradient = block_[0].data();
  if (l + 1 < model_.n_interactions) {
    T *y_gradient = block_[2].data();
    for (int k = 0; k < n; ++k) std::copy_n(y_gradient_.data() + offset(atom[k], f), f, y_gradient + offset(k, f));
    const Interaction<T> &next = weights_.interactions[static_cast<std::size_t>(l) + 1];
    kernels_.multiply(n, f, f, y_gradient, f, next.in2f.backward.data(), nullptr, true, x_gradient, f);
  }
  kernels_.multiply(n, f, f, x_gradient, f, layer.f2out2.backward.data(), nullptr, false, activation, f);
  kernels_.times_ssp_slope(static_cast<std::ptrdiff_t>(offset(n, f)),
                           hidden_[static_cast<std::size_t>(l)].data() + offset(begin, f), activation);
  kernels_.multiply(n, c, f, activation, f, layer.f2out1.backward.data(), nullptr, false, q_gradient, c);
  for_segments(begin, end, [&](const Segment &segment) {
    if (segment.gated) adapter_backward(l, segment, q_gradient + offset(segment.begin - begin, c), segment.begin);
  });
  T *message = message_[static_cast<std::size_t>(l)].data();
  for (int k = 0; k < n; ++k) {
    const std::size_t row = offset(atom[k], w.message());
    kernels_.invariants_backward(w, q_gradient + offset(k, c), message + row);
  }
}

template<typename T>
void Evaluator<T>::adapter_backward(int l, const Segment &segment, T *q_gradient, int first) {
  const auto species = static_cast<std::size_t>(segment.species);
  const Adapter<T> &adapter = weights_.interactions[static_cast<std::size_t>(l)].adapter[species];
  const int rows = adapter.in.n_out, n = segment.end - segment.begin, f = weights_.widths.features;
  const std::size_t row = offset(first, weights_.adapter_rows);
  const T *hidden = adapter_hidden_[static_cast<std::size_t>(l)].data() + row;
  T *gradient = block_[1].data();
  kernels_.multiply(n, rows, f, x_.data() + offset(first, f), f, adapter.out.backward.data(), nullptr, false, gradient,
                    rows);
  kernels_.gated_ssp_backward(static_cast<std::ptrdiff_t>(offset(n, rows)), hidden, gate_rows_.data() + row, gradient,
                              gate_row_gradients_.data() + row);
  const int c = adapter.in.n_in;
  kernels_.multiply(n, c, rows, gradient, rows, adapter.in.backward.data(), nullptr, true, q_gradient, c);
}

template class Evaluator<float>;
template class Evaluator<double>;

}  // namespace hea
