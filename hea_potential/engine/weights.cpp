#include "weights.h"

#include <algorithm>
#include <functional>

namespace hea {

template<typename T>
void pack(const T *dense, int k, int n, int panel, T *packed) {
  for (int at = 0; at < n; at += panel) {
    const int width = std::min(panel, n - at);
    for (int row = 0; row < k; ++row)
      packed = std::copy_n(dense + static_cast<std::ptrdiff_t>(row) * n + at, width, packed);
  }
}

namespace {

// Where the columns of a matrix of the file go among padded ones.
using Places = std::vector<int>;

Places plain(int n) {
  Places places(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) places[static_cast<std::size_t>(k)] = k;
  return places;
}

Places channels(const Model &model) {
  const int f = model.n_features, a = model.n_angular;
  Places places = plain(model.n_channels());
  for (int k = 0; k < a; ++k) {
    places[static_cast<std::size_t>(f + k)] = padded(f) + k;
    places[static_cast<std::size_t>(f + a + k)] = padded(f) + padded(a) + k;
  }
  return places;
}

template<typename T>
Aligned<T> padded_copy(const double *values, int n) {
  Aligned<T> out(static_cast<std::size_t>(padded(n)));
  std::copy_n(values, n, out.begin());
  return out;
}

// stored[out][in] of the file; entry (o, i) goes to padded places (out_places[o], in_places[i]), a place -1 is left
// out.
template<typename T>
Matrix<T> matrix(const double *stored, const Places &out_places, int n_out, const Places &in_places, int n_in,
                 int panel) {
  Matrix<T> result;
  result.n_in = n_in;
  result.n_out = n_out;
  const auto size = static_cast<std::size_t>(n_in) * static_cast<std::size_t>(n_out);
  Aligned<T> dense(size), transposed(size);
  for (std::size_t o = 0; o < out_places.size(); ++o) {
    for (std::size_t i = 0; i < in_places.size(); ++i) {
      if (out_places[o] < 0 || in_places[i] < 0) continue;
      const auto row = static_cast<std::size_t>(in_places[i]), column = static_cast<std::size_t>(out_places[o]);
      const T value = static_cast<T>(stored[o * in_places.size() + i]);
      dense[row * static_cast<std::size_t>(n_out) + column] = value;
      transposed[column * static_cast<std::size_t>(n_in) + row] = value;
    }
  }
  result.forward.resize(size);
  result.backward.resize(size);
  pack(dense.data(), n_in, n_out, panel, result.forward.data());
  pack(transposed.data(), n_out, n_in, panel, result.backward.data());
  return result;
}

}  // namespace

template<typename T>
Weights<T>::Weights(const Model &model, const std::vector<int> &used, const Kernels<T> &kernels)
    : n_species(static_cast<int>(used.size())),
      n_hidden(model.n_hidden),
      n_intervals(model.n_intervals),
      silu(model.head_activation == Model::Activation::silu) {
  const int f = model.n_features, c = model.n_channels(), d = model.n_hidden;
  widths.features = padded(f);
  widths.angular = padded(model.n_angular);
  const int fp = widths.features, cp = widths.channels();
  const Places features = plain(f), places = channels(model);
  const auto part = [](const std::vector<double> &tensor, int index, int size) {
    return tensor.data() + static_cast<std::size_t>(index) * static_cast<std::size_t>(size);
  };

  // Adapter rows of the file in their padded place, by species. Rows of absent elements, of the atom's own, and those
  // of the gate of three elements when there are fewer, are silent and left out.
  const int file_rows = model.n_elements() * model.rank_pair + model.rank_many;
  std::vector<Places> row_places;
  for (int z = 0; z < n_species; ++z) {
    Places &rows = row_places.emplace_back(static_cast<std::size_t>(file_rows), -1);
    std::vector<AdapterGroup> &groups = adapter_groups.emplace_back();
    int next = 0;
    const auto add = [&](int gate, int file_row, int rank) {
      if (rank == 0) return;
      groups.push_back({gate, next, next + rank});
      for (int k = 0; k < rank; ++k) rows[static_cast<std::size_t>(file_row + k)] = next++;
    };
    for (int b = 0; b < n_species; ++b) {
      if (b != z) add(b, used[static_cast<std::size_t>(b)] * model.rank_pair, model.rank_pair);
    }
    if (n_species >= 3) add(n_species, model.n_elements() * model.rank_pair, model.rank_many);
    adapter_rows = padded(next);
  }

  interactions.resize(static_cast<std::size_t>(model.n_interactions));
  for (int l = 0; l < model.n_interactions; ++l) {
    Interaction<T> &layer = interactions[static_cast<std::size_t>(l)];
    layer.in2f = matrix<T>(part(model.in2f, l, f * f), features, fp, features, fp, kernels.panel);
    layer.f2out1 = matrix<T>(part(model.f2out1_weight, l, f * c), features, fp, places, cp, kernels.panel);
    layer.f2out2 = matrix<T>(part(model.f2out2_weight, l, f * f), features, fp, features, fp, kernels.panel);
    layer.bias1 = padded_copy<T>(part(model.f2out1_bias, l, f), f);
    layer.bias2 = padded_copy<T>(part(model.f2out2_bias, l, f), f);

    const int knots = n_intervals + 3;
    layer.table.resize(static_cast<std::size_t>(n_species * (n_species + 1) / 2 * knots) *
                       static_cast<std::size_t>(cp));
    for (int a = 0; a < n_species; ++a) {
      for (int b = a; b < n_species; ++b) {
        const int file_pair = model.pair_index(used[static_cast<std::size_t>(a)], used[static_cast<std::size_t>(b)]);
        const double *from = part(model.filters, l * model.n_pairs() + file_pair, knots * c);
        T *to = layer.table.data() + static_cast<std::ptrdiff_t>(pair(a, b)) * knots * cp;
        for (int k = 0; k < knots; ++k, from += c, to += cp) {
          for (int channel = 0; channel < c; ++channel)
            to[places[static_cast<std::size_t>(channel)]] = static_cast<T>(from[channel]);
        }
      }
    }

    for (int z = 0; gated() && z < n_species; ++z) {
      const auto species = static_cast<std::size_t>(z);
      const int index = l * model.n_elements() + used[species], rows = adapter_rows;
      layer.adapter.push_back({matrix<T>(part(model.adapter_in, index, file_rows * c), row_places[species], rows,
                                         places, cp, kernels.panel),
                               matrix<T>(part(model.adapter_out, index, f * file_rows), features, fp,
                                         row_places[species], rows, kernels.panel)});
    }
  }

  for (const int element : used) {
    const Aligned<T> row = padded_copy<T>(part(model.embedding, element, f), f);
    embedding.insert(embedding.end(), row.begin(), row.end());
    Head<T> &head = heads.emplace_back();
    head.hidden =
        matrix<T>(part(model.head_hidden_weight, element, d * f), plain(d), padded(d), features, fp, kernels.panel);
    head.bias = padded_copy<T>(part(model.head_hidden_bias, element, d), d);
    head.out.assign(part(model.head_out, element, d), part(model.head_out, element + 1, d));
    head.e0 = model.e0[static_cast<std::size_t>(element)];
  }
  first_y.resize(embedding.size());
  kernels.multiply(n_species, fp, fp, embedding.data(), fp, interactions[0].in2f.forward.data(), nullptr, false,
                   first_y.data(), fp);
}

template void pack<float>(const float *, int, int, int, float *);
template void pack<double>(const double *, int, int, int, double *);
template struct Weights<float>;
template struct Weights<double>;

}  // namespace hea
