#include "scan_orderings.h"

#include <algorithm>

#include "row_offset.h"

namespace hea {

template<typename T>
ScanOrderings<T>::ScanOrderings(const Model &model, const std::vector<int> &used)
    : kernels_(kernels<T>()),
      n_interactions_(model.n_interactions),
      weights_(model, used, kernels_),
      layers_(weights_, kernels_),
      geometry_(model),
      species_(model, used, weights_, geometry_) {
  first_y_ = weights_.first_y;
  for (const T y : weights_.first_y) first_y_.push_back(-y);
  work_.x.resize(index(n_interactions_) + 1);
  work_.y.resize(index(n_interactions_) + 1);
}

template<typename T>
double ScanOrderings<T>::order(const std::vector<int> &species) {
  const int n = n_atoms();
  for (Reached &of_site : reached_) of_site.has_rows = of_site.has_energies = false;
  reached_.resize(offset(n, weights_.n_species));
  energy_ = species_.order(species);
  find_own_messages();

  run({}, n_interactions_);
  const int f = weights_.widths.features;
  whole_.x.assign(index(n_interactions_) + 1, Aligned<T>(offset(n, f)));
  whole_.y = whole_.x;
  atom_energy_.resize(index(n));
  for (int k = 0; k < n; ++k) {
    const int i = atoms_[index(k)];
    for (std::size_t l = 1; l < index(n_interactions_); ++l) {
      std::copy_n(work_.x[l].data() + offset(k, f), f, whole_.x[l].data() + offset(i, f));
      std::copy_n(work_.y[l].data() + offset(k, f), f, whole_.y[l].data() + offset(i, f));
    }
    atom_energy_[index(i)] = work_.energy[index(k)];
    energy_ += work_.energy[index(k)];
  }
  return energy_;
}

template<typename T>
double ScanOrderings<T>::with_substitution(int atom, int species) {
  if (species == species_.given(atom)) return energy_;
  const Reached &there = computed({atom, species}, true);
  const std::vector<int> &atoms = geometry_.within(n_interactions_, atom);
  double energy = energy_ + species_.repulsion_change({{atom, species}});
  for (std::size_t k = 0; k < atoms.size(); ++k) energy += there.energy[k] - atom_energy_[index(atoms[k])];
  return energy;
}

template<typename T>
double ScanOrderings<T>::with_exchange(int p, int q) {
  const Sites sites = {{p, species_.given(q)}, {q, species_.given(p)}};
  if (sites[0].species == sites[1].species) return energy_;
  double energy = energy_ + species_.repulsion_change(sites);
  const bool same_reach = geometry_.within(n_interactions_, p) == geometry_.within(n_interactions_, q);
  for (int k = 0; k < 2; ++k) {
    const Site &site = sites[index(k)];
    const Reached &there = computed(site, !same_reach);
    if (same_reach) continue;
    const std::vector<int> &atoms = geometry_.within(n_interactions_, site.atom);
    const int other = sites[index(1 - k)].atom;
    for (std::size_t a = 0; a < atoms.size(); ++a) {
      if (!geometry_.reaches(n_interactions_, other, atoms[a]))
        energy += there.energy[a] - atom_energy_[index(atoms[a])];
    }
  }
  species_.apply(sites);
  run(sites, n_interactions_);
  species_.revert(sites);
  for (std::size_t k = 0; k < atoms_.size(); ++k) energy += work_.energy[k] - atom_energy_[index(atoms_[k])];
  return energy;
}

// The rows that a substitution reaches, and the energies of their atoms if they are asked for.
template<typename T>
const typename ScanOrderings<T>::Reached &ScanOrderings<T>::computed(const Site &site, bool with_energies) {
  Reached &there = reached(site);
  if (there.has_rows && (there.has_energies || !with_energies)) return there;
  const Sites sites = {site};
  species_.apply(sites);
  run(sites, with_energies ? n_interactions_ : n_interactions_ - 1);
  const int f = weights_.widths.features;
  there.x.resize(index(n_interactions_) + 1);
  there.y.resize(index(n_interactions_) + 1);
  for (int l = 1; l < n_interactions_; ++l) {
    const std::vector<int> &atoms = geometry_.within(l, site.atom);
    there.x[index(l)].resize(atoms.size() * index(f));
    there.y[index(l)].resize(atoms.size() * index(f));
    choose_atoms(sites, l);
    for (std::size_t k = 0; k < atoms.size(); ++k) {
      const std::size_t from = offset(row_[index(atoms[k])], f), to = k * index(f);
      std::copy_n(work_.x[index(l)].data() + from, f, there.x[index(l)].data() + to);
      std::copy_n(work_.y[index(l)].data() + from, f, there.y[index(l)].data() + to);
    }
  }
  if (with_energies) {
    const std::vector<int> &atoms = geometry_.within(n_interactions_, site.atom);
    choose_atoms(sites, n_interactions_);
    there.energy.resize(atoms.size());
    for (std::size_t k = 0; k < atoms.size(); ++k) there.energy[k] = work_.energy[index(row_[index(atoms[k])])];
  }
  species_.revert(sites);
  there.has_rows = true;
  there.has_energies = with_energies;
  return there;
}

// Interactions, and after the last of them energies, for the rows that all sites reach; without sites, for all rows.
template<typename T>
void ScanOrderings<T>::run(const Sites &sites, int n_interactions) {
  const int f = weights_.widths.features;
  for (int l = 0; l < n_interactions; ++l) {
    row_before_.swap(row_);
    choose_atoms(sites, l + 1);
    begin_rows(sites, l);
    const T *message = l == 0 ? first_messages(sites) : messages(sites, l);
    Aligned<T> &x = work_.x[index(l) + 1], &y = work_.y[index(l) + 1];
    layers_.update(l, groups_, message, gate_.data(), x.data(), y.data());
    if (l + 1 == n_interactions_) {
      work_.energy.resize(x.size() / index(f));
      layers_.energies(groups_, x.data(), work_.energy.data());
    }
  }
}

// The atoms that are within some edges of all sites, in groups of one species.
template<typename T>
void ScanOrderings<T>::choose_atoms(const Sites &sites, int hops) {
  std::vector<int> end(index(weights_.n_species) + 1, 0);
  const auto is_chosen = [&](int i) {
    return std::all_of(sites.begin(), sites.end(), [&](const Site &s) { return geometry_.reaches(hops, s.atom, i); });
  };
  row_.assign(index(n_atoms()), -1);
  for (int i = 0; i < n_atoms(); ++i) {
    if (!is_chosen(i)) continue;
    row_[index(i)] = 0;
    ++end[index(species_.now(i)) + 1];
  }
  groups_.clear();
  for (int s = 0; s < weights_.n_species; ++s) {
    end[index(s) + 1] += end[index(s)];
    if (end[index(s)] < end[index(s) + 1]) groups_.push_back({end[index(s)], end[index(s) + 1], s});
  }
  atoms_.resize(index(end.back()));
  for (int i = 0; i < n_atoms(); ++i) {
    if (row_[index(i)] < 0) continue;
    const int row = end[index(species_.now(i))]++;
    atoms_[index(row)] = i;
    row_[index(i)] = row;
  }
}

// The x of the chosen atoms before an interaction, and their gates.
template<typename T>
void ScanOrderings<T>::begin_rows(const Sites &sites, int layer) {
  const int n = static_cast<int>(atoms_.size()), f = weights_.widths.features, g = weights_.adapter_rows;
  Aligned<T> &x = work_.x[index(layer) + 1];
  x.resize(offset(n, f));
  work_.y[index(layer) + 1].resize(offset(n, f));
  gate_.resize(offset(n, g));
  for (int k = 0; k < n; ++k) {
    const int i = atoms_[index(k)];
    const T *before =
        layer == 0 ? weights_.embedding.data() + offset(species_.now(i), f) : row_before(sites, layer, i, &Reached::x);
    std::copy_n(before, f, x.data() + offset(k, f));
    species_.copy_gates(i, gate_.data() + offset(k, g));
  }
}

// A row after some interactions: computed now, else that of the one substitution that reaches it, else the given one.
template<typename T>
const T *ScanOrderings<T>::row_before(const Sites &sites, int layer, int atom, std::vector<Aligned<T>> Reached::*rows) {
  const int f = weights_.widths.features;
  if (row_before_[index(atom)] >= 0) return (work_.*rows)[index(layer)].data() + offset(row_before_[index(atom)], f);
  for (const Site &site : sites) {
    const int place = geometry_.place_within(layer, site.atom, atom);
    if (place >= 0) return (reached(site).*rows)[index(layer)].data() + offset(place, f);
  }
  return (whole_.*rows)[index(layer)].data() + offset(atom, f);
}

// The first messages of the chosen atoms: their own, and the difference that the changed neighbours make.
template<typename T>
T *ScanOrderings<T>::first_messages(const Sites &sites) {
  const int n = static_cast<int>(atoms_.size()), m = weights_.widths.message(), n_species = weights_.n_species;
  const int n_sources = 2 * n_species;
  first_y_.resize(std::max(first_y_.size(), offset(n_sources + n, weights_.widths.features)));
  message_.resize(offset(n_sources + n, m));
  std::fill_n(message_.data(), offset(n_sources, m), T(0));
  edges_.clear();
  first_edge_.assign(index(n_sources) + 1, 0);
  for (int k = 0; k < n; ++k) {
    const int i = atoms_[index(k)], s = species_.now(i);
    std::copy_n(own_message_.data() + offset(i * n_species + s, m), m, message_.data() + offset(n_sources + k, m));
    for (const Site &site : sites) {
      const int e = geometry_.edge_between(i, site.atom), old = species_.given(site.atom);
      if (e < 0) continue;
      const Edge<T> edge = geometry_.seen_from(i, e);
      add_edge(edge, s, site.species, site.species);
      add_edge(edge, s, old, n_species + old);
    }
    first_edge_.push_back(static_cast<std::int64_t>(edges_.size()));
  }
  kernels_.edges_forward({n_sources + n, first_edge_.data(), edges_.data()}, weights_.widths,
                         weights_.interactions[0].table.data(), first_y_.data(), message_.data());
  return message_.data() + offset(n_sources, m);
}

// The messages of the chosen atoms in a later interaction. Rows of other atoms stand behind theirs, as sources alone.
template<typename T>
T *ScanOrderings<T>::messages(const Sites &sites, int layer) {
  const int f = weights_.widths.features, n = static_cast<int>(atoms_.size());
  sources_ = atoms_;
  source_of_ = row_;
  edges_.clear();
  first_edge_.assign(1, 0);
  for (int k = 0; k < n; ++k) {
    const int i = atoms_[index(k)];
    for (const int e : geometry_.edges_of(i)) {
      const int j = geometry_.ends(e).i == i ? geometry_.ends(e).j : geometry_.ends(e).i;
      if (row_[index(j)] >= 0 && j == geometry_.ends(e).i) continue;  // it is among the edges of j
      if (source_of_[index(j)] < 0) {
        source_of_[index(j)] = static_cast<int>(sources_.size());
        sources_.push_back(j);
      }
      add_edge(geometry_.seen_from(i, e), species_.now(i), species_.now(j), source_of_[index(j)]);
    }
    first_edge_.push_back(static_cast<std::int64_t>(edges_.size()));
  }
  y_.resize(sources_.size() * index(f));
  for (std::size_t k = 0; k < sources_.size(); ++k)
    std::copy_n(row_before(sites, layer, sources_[k], &Reached::y), f, y_.data() + k * index(f));
  message_.assign(sources_.size() * index(weights_.widths.message()), T(0));
  kernels_.edges_forward({n, first_edge_.data(), edges_.data()}, weights_.widths,
                         weights_.interactions[index(layer)].table.data(), y_.data(), message_.data());
  return message_.data();
}

// An edge to the row `source`, with the filters of two species.
template<typename T>
void ScanOrderings<T>::add_edge(const Edge<T> &edge, int a, int b, int source) {
  edges_.push_back(edge);
  edges_.back().neighbour = source;
  edges_.back().table_row += weights_.pair(a, b) * (weights_.n_intervals + 3);
}

// The first messages to every atom, were it of each species, from its neighbours in the given ordering.
template<typename T>
void ScanOrderings<T>::find_own_messages() {
  const int m = weights_.widths.message(), n_species = weights_.n_species;
  own_message_.resize(offset(n_atoms() * n_species, m));
  first_y_.resize(std::max(first_y_.size(), offset(3 * n_species, weights_.widths.features)));
  for (int i = 0; i < n_atoms(); ++i) {
    message_.assign(offset(3 * n_species, m), T(0));
    edges_.clear();
    first_edge_.assign(index(2 * n_species) + 1, 0);
    for (int s = 0; s < n_species; ++s) {
      for (const int e : geometry_.edges_of(i)) {
        const int source = species_.given(geometry_.ends(e).i == i ? geometry_.ends(e).j : geometry_.ends(e).i);
        add_edge(geometry_.seen_from(i, e), s, source, source);
      }
      first_edge_.push_back(static_cast<std::int64_t>(edges_.size()));
    }
    kernels_.edges_forward({3 * n_species, first_edge_.data(), edges_.data()}, weights_.widths,
                           weights_.interactions[0].table.data(), first_y_.data(), message_.data());
    std::copy_n(message_.data() + offset(2 * n_species, m), offset(n_species, m),
                own_message_.data() + offset(i * n_species, m));
  }
}

template class ScanOrderings<float>;
template class ScanOrderings<double>;

}  // namespace hea
