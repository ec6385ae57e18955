#include "atom_types.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace hea {

AtomTypes::AtomTypes(const Model &model, const std::vector<int> &elements) {
  for (const int element : elements) {
    if (element < -1 || element >= model.n_elements()) {
      throw std::invalid_argument("element " + std::to_string(element) + " of a type, allowed are -1 to " +
                                  std::to_string(model.n_elements() - 1));
    }
    if (element >= 0) used_.push_back(element);
  }
  std::sort(used_.begin(), used_.end());
  used_.erase(std::unique(used_.begin(), used_.end()), used_.end());
  if (used_.empty()) throw std::invalid_argument("no type has an element of the model");
  for (const int element : elements) {
    const auto found = std::find(used_.begin(), used_.end(), element);
    species_.push_back(found == used_.end() ? -1 : static_cast<int>(found - used_.begin()));
  }
}

void AtomTypes::find_species(const int *type, int n, std::vector<int> &species) const {
  species.resize(static_cast<std::size_t>(std::max(n, 0)));
  for (std::size_t i = 0; i < species.size(); ++i) {
    if (type[i] < 0 || type[i] >= size()) {
      throw std::invalid_argument("atom " + std::to_string(i) + " has the type " + std::to_string(type[i]) +
                                  ", allowed are 0 to " + std::to_string(size() - 1));
    }
    species[i] = species_[static_cast<std::size_t>(type[i])];
  }
}

}  // namespace hea
