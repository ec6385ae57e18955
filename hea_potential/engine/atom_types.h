// The atom types of a caller, and the species (different elements in use, in the order of the model) that they are.
#pragma once

#include <vector>

#include "model.h"

namespace hea {

class AtomTypes {
 public:
  // elements[type] is an index into model.elements, or -1 for a type without an element; types may repeat elements.
  // Throws std::invalid_argument.
  AtomTypes(const Model &model, const std::vector<int> &elements);

  const std::vector<int> &used() const { return used_; }  // by species, the index into model.elements
  int size() const { return static_cast<int>(species_.size()); }
  int species(int type) const { return species_[static_cast<std::size_t>(type)]; }  // -1 without an element
  // The species of n atoms; throws std::invalid_argument for types out of range.
  void find_species(const int *type, int n, std::vector<int> &species) const;

 private:
  std::vector<int> used_, species_;
};

}  // namespace hea
