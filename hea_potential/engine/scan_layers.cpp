#include "scan_layers.h"

#include <algorithm>

#include "row_offset.h"

namespace hea {
namespace {

// Calls work(rows) for the groups in blocks.
template<typename Work>
void for_blocks(const std::vector<RowGroup> &groups, Work work) {
  for (const RowGroup &group : groups) {
    for (int begin = group.begin; begin < group.end; begin += block_atoms)
      work(RowGroup{begin, std::min(begin + block_atoms, group.end), group.species});
  }
}

}  // namespace

template<typename T>
ScanLayers<T>::ScanLayers(const Weights<T> &weights, const Kernels<T> &kernels) : weights_(weights), kernels_(kernels) {
  const int widest = std::max({weights_.widths.channels(), padded(weights_.n_hidden), weights_.adapter_rows});
  for (Aligned<T> &rows : block_) rows.resize(offset(block_atoms, widest));
  find_isolated_energies();
}

// Lone atoms of each species, by the same code.
template<typename T>
void ScanLayers<T>::find_isolated_energies() {
  const int n = weights_.n_species;
  std::vector<RowGroup> groups;
  for (int s = 0; s < n; ++s) groups.push_back({s, s + 1, s});
  shift_.assign(static_cast<std::size_t>(n), 0.0);
  const Aligned<T> message(offset(n, weights_.widths.message())), gate(offset(n, weights_.adapter_rows));
  Aligned<T> x = weights_.embedding, y(x.size());
  for (int l = 0; l < static_cast<int>(weights_.interactions.size()); ++l)
    update(l, groups, message.data(), gate.data(), x.data(), y.data());
  std::vector<double> energy(static_cast<std::size_t>(n));
  energies(groups, x.data(), energy.data());
  for (std::size_t s = 0; s < energy.size(); ++s) shift_[s] = weights_.heads[s].e0 - energy[s];
}

template<typename T>
void ScanLayers<T>::update(int layer, const std::vector<RowGroup> &groups, const T *message, const T *gate, T *x,
                           T *y) {
  for_blocks(groups, [&](const RowGroup &rows) { update_block(layer, rows, message, gate, x, y); });
}

template<typename T>
void ScanLayers<T>::update_block(int l, const RowGroup &rows, const T *message, const T *gate, T *x, T *y) {
  const Interaction<T> &layer = weights_.interactions[static_cast<std::size_t>(l)];
  const Widths &w = weights_.widths;
  const int f = w.features, c = w.channels(), n = rows.end - rows.begin;
  T *q = block_[0].data(), *hidden = block_[1].data(), *activation = block_[2].data();
  message += offset(rows.begin, w.message());
  x += offset(rows.begin, f);

  for (int k = 0; k < n; ++k) kernels_.invariants(w, message + offset(k, w.message()), q + offset(k, c));
  kernels_.multiply(n, f, c, q, c, layer.f2out1.forward.data(), layer.bias1.data(), false, hidden, f);
  kernels_.ssp(static_cast<std::ptrdiff_t>(offset(n, f)), hidden, activation);
  kernels_.multiply(n, f, f, activation, f, layer.f2out2.forward.data(), layer.bias2.data(), true, x, f);
  if (weights_.gated()) {
    const Adapter<T> &adapter = layer.adapter[static_cast<std::size_t>(rows.species)];
    const int r = adapter.in.n_out;
    kernels_.multiply(n, r, c, q, c, adapter.in.forward.data(), nullptr, false, hidden, r);
    kernels_.gated_ssp(static_cast<std::ptrdiff_t>(offset(n, r)), hidden, gate + offset(rows.begin, r), activation);
    kernels_.multiply(n, f, r, activation, r, adapter.out.forward.data(), nullptr, true, x, f);
  }
  if (static_cast<std::size_t>(l) + 1 == weights_.interactions.size()) return;
  const Interaction<T> &next = weights_.interactions[static_cast<std::size_t>(l) + 1];
  kernels_.multiply(n, f, f, x, f, next.in2f.forward.data(), nullptr, false, y + offset(rows.begin, f), f);
}

template<typename T>
void ScanLayers<T>::energies(const std::vector<RowGroup> &groups, const T *x, double *energy) {
  const int f = weights_.widths.features, d = weights_.n_hidden, dp = padded(d);
  T *hidden = block_[0].data(), *value = block_[1].data(), *slope = block_[2].data();
  for_blocks(groups, [&](const RowGroup &rows) {
    const Head<T> &head = weights_.heads[static_cast<std::size_t>(rows.species)];
    const int n = rows.end - rows.begin;
    const auto n_values = static_cast<std::ptrdiff_t>(offset(n, dp));
    kernels_.multiply(n, dp, f, x + offset(rows.begin, f), f, head.hidden.forward.data(), head.bias.data(), false,
                      hidden, dp);
    if (weights_.silu)
      kernels_.silu_and_slope(n_values, hidden, value, slope);
    else
      kernels_.ssp(n_values, hidden, value);
    for (int k = 0; k < n; ++k) {
      const T *feature = value + offset(k, dp);
      double sum = shift_[static_cast<std::size_t>(rows.species)];
      for (int p = 0; p < d; ++p) sum += head.out[static_cast<std::size_t>(p)] * static_cast<double>(feature[p]);
      energy[rows.begin + k] = sum;
    }
  });
}

template class ScanLayers<float>;
template class ScanLayers<double>;

}  // namespace hea
