#include "scan_species.h"

#include <algorithm>

#include "row_offset.h"

namespace hea {

template<typename T>
ScanSpecies<T>::ScanSpecies(const Model &model, const std::vector<int> &used, const Weights<T> &weights,
                            const ScanGeometry<T> &geometry)
    : weights_(weights), geometry_(geometry), of_atom_(used.size() + 1) {
  for (const int a : used) {
    for (const int b : used) {
      const std::size_t pair = index(model.pair_index(a, b));
      zbl_.emplace_back(model.atomic_numbers[index(a)], model.atomic_numbers[index(b)], model.zbl_inner[pair],
                        model.zbl_outer[pair]);
    }
  }
}

template<typename T>
double ScanSpecies<T>::order(const std::vector<int> &species) {
  const int n = geometry_.n_atoms(), n_species = weights_.n_species;
  given_ = now_ = species;
  is_touched_.assign(index(n), 0);

  densities_.assign(offset(n, n_species), 0.0);
  repulsion_.assign(offset(n, n_species), 0.0);
  double pair_energy = 0.0;
  for (int e = 0; e < geometry_.n_edges(); ++e) {
    const auto &[i, j, r, density] = geometry_.ends(e);
    const int a = species[index(i)], b = species[index(j)];
    densities_[offset(i, n_species) + index(b)] += density;
    densities_[offset(j, n_species) + index(a)] += density;
    pair_energy += repulsion(a, b, r);
    for (int s = 0; s < n_species; ++s) {
      repulsion_[offset(i, n_species) + index(s)] += repulsion(s, b, r);
      repulsion_[offset(j, n_species) + index(s)] += repulsion(a, s, r);
    }
  }
  densities_now_ = densities_;
  gates_.assign(offset(n, weights_.adapter_rows), T(0));
  for (int i = 0; i < n; ++i)
    spread_gates(i, densities_.data() + offset(i, n_species), gates_.data() + offset(i, weights_.adapter_rows));
  return pair_energy;
}

template<typename T>
void ScanSpecies<T>::apply(const Sites &sites) {
  for (const Site &site : sites) now_[index(site.atom)] = site.species;
  for (const Site &site : sites) {
    is_touched_[index(site.atom)] = 1;
    for (const int e : geometry_.edges_of(site.atom)) {
      const auto &[i, j, r, density] = geometry_.ends(e);
      const int other = i == site.atom ? j : i;
      double *densities = densities_now_.data() + offset(other, weights_.n_species);
      densities[given_[index(site.atom)]] -= density;
      densities[site.species] += density;
      is_touched_[index(other)] = 1;
    }
  }
}

template<typename T>
void ScanSpecies<T>::revert(const Sites &sites) {
  for (const Site &site : sites) {
    now_[index(site.atom)] = given_[index(site.atom)];
    is_touched_[index(site.atom)] = 0;
    for (const int e : geometry_.edges_of(site.atom)) {
      const int other = geometry_.ends(e).i == site.atom ? geometry_.ends(e).j : geometry_.ends(e).i;
      const std::size_t from = offset(other, weights_.n_species);
      std::copy_n(densities_.data() + from, weights_.n_species, densities_now_.data() + from);
      is_touched_[index(other)] = 0;
    }
  }
}

template<typename T>
void ScanSpecies<T>::copy_gates(int atom, T *row) {
  if (is_touched_[index(atom)] != 0)
    spread_gates(atom, densities_now_.data() + offset(atom, weights_.n_species), row);
  else
    std::copy_n(gates_.data() + offset(atom, weights_.adapter_rows), weights_.adapter_rows, row);
}

template<typename T>
void ScanSpecies<T>::spread_gates(int atom, const double *densities, T *row) {
  if (!weights_.gated()) return;
  const int own = now_[index(atom)];
  find_gates(densities, weights_.n_species, own, of_atom_.data());
  std::fill_n(row, weights_.adapter_rows, T(0));
  for (const AdapterGroup &group : weights_.adapter_groups[index(own)])
    std::fill_n(row + group.begin, group.end - group.begin, static_cast<T>(of_atom_[index(group.gate)]));
}

template<typename T>
double ScanSpecies<T>::repulsion(int a, int b, double r) const {
  const Zbl &zbl = zbl_[offset(a, weights_.n_species) + index(b)];
  double slope = 0.0;
  return r < zbl.outer() ? zbl.energy(r, slope) : 0.0;
}

// Of the pair terms. Two sites that are neighbours see each other as they were: their own pair is mended.
template<typename T>
double ScanSpecies<T>::repulsion_change(const Sites &sites) const {
  double change = 0.0;
  for (const Site &site : sites) {
    const double *of_atom = repulsion_.data() + offset(site.atom, weights_.n_species);
    change += of_atom[site.species] - of_atom[given_[index(site.atom)]];
  }
  if (sites.size() == 2) {
    const int e = geometry_.edge_between(sites[0].atom, sites[1].atom), a = sites[0].species, b = sites[1].species;
    if (e >= 0) {
      const double r = geometry_.ends(e).r;
      change += 2.0 * repulsion(a, b, r) - repulsion(a, a, r) - repulsion(b, b, r);
    }
  }
  return change;
}

template class ScanSpecies<float>;
template class ScanSpecies<double>;

}  // namespace hea
