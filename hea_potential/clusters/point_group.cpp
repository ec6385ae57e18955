#include "point_group.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "symmetry_operations.h"

namespace hea::clusters {
namespace {

using OrderCounts = std::map<std::size_t, std::size_t>;  // order of a rotation -> number of rotations

// The order of a rotation: all atoms off its axis go round in cycles of this length.
std::size_t order_of(const Operation &rotation) {
  std::size_t longest = 1;
  for (std::size_t i = 0; i < rotation.permutation.size(); ++i) {
    std::size_t length = 1;
    for (std::size_t j = rotation.permutation[i]; j != i; j = rotation.permutation[j]) ++length;
    longest = std::max(longest, length);
  }
  return longest;
}

// Of the improper operations that are their own inverse, one is the inversion and all others are mirrors.
bool is_mirror(const Operation &operation) {
  if (operation.is_proper || operation.trace < -1.0) return false;
  const std::vector<std::size_t> &to = operation.permutation;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[to[i]] != i) return false;
  }
  return true;
}

// Rotations by order in the cyclic group of n: as many of each order as numbers without a common divisor.
OrderCounts cyclic(std::size_t n) {
  OrderCounts counts;
  for (std::size_t k = 0; k < n; ++k) ++counts[n / std::gcd(k, n)];
  return counts;
}

OrderCounts dihedral(std::size_t n) {
  OrderCounts counts = cyclic(n);
  counts[2] += n;
  return counts;
}

const OrderCounts tetrahedral{{1, 1}, {2, 3}, {3, 8}};
const OrderCounts octahedral{{1, 1}, {2, 9}, {3, 8}, {4, 6}};
const OrderCounts icosahedral{{1, 1}, {2, 15}, {3, 20}, {5, 24}};

// What the improper operations, as many as rotations, make of a group of rotations; by the number of mirrors.
using Extensions = std::map<std::size_t, std::string>;

std::string extended(const std::string &rotations, bool has_improper, std::size_t mirrors,
                     const Extensions &extensions) {
  if (!has_improper) return rotations;
  const auto found = extensions.find(mirrors);
  return found == extensions.end() ? "" : found->second;
}

// The symbol of the group that a set of operations is, by how many it has of each kind; empty if there is no such
// group.
std::string symbol_of(const std::vector<Operation> &operations) {
  OrderCounts rotations;
  std::size_t n_proper = 0, mirrors = 0;
  for (const Operation &operation : operations) {
    if (operation.is_proper) {
      ++n_proper;
      ++rotations[order_of(operation)];
    }
    mirrors += is_mirror(operation);
  }
  const std::size_t n_improper = operations.size() - n_proper;
  if (n_proper == 0 || (n_improper != 0 && n_improper != n_proper)) return "";
  const bool has_improper = n_improper != 0;
  const std::size_t n = rotations.rbegin()->first;
  const std::string number = std::to_string(n);
  if (n == 1) return extended("C1", has_improper, mirrors, {{1, "Cs"}, {0, "Ci"}});
  if (rotations == cyclic(n)) {
    const Extensions extensions{{1, "C" + number + "h"}, {n, "C" + number + "v"}, {0, "S" + std::to_string(2 * n)}};
    return extended("C" + number, has_improper, mirrors, extensions);
  }
  if (rotations == dihedral(n)) {
    return extended("D" + number, has_improper, mirrors, {{n + 1, "D" + number + "h"}, {n, "D" + number + "d"}});
  }
  if (rotations == tetrahedral) return extended("T", has_improper, mirrors, {{6, "Td"}, {3, "Th"}});
  if (rotations == octahedral) return extended("O", has_improper, mirrors, {{9, "Oh"}});
  if (rotations == icosahedral) return extended("I", has_improper, mirrors, {{15, "Ih"}});
  return "";
}

}  // namespace

std::string point_group(const Atoms &atoms, double tolerance) {
  if (atoms.n == 1) return "Kh";
  const SymmetrySearch search(atoms, tolerance * atoms.mean_bond());
  if (search.is_linear()) return search.has_inversion() ? "Dinfh" : "Cinfv";
  std::vector<Operation> operations = search.operations();
  if (operations.size() == 1) return "C1";  // as nearly all are
  std::sort(operations.begin(), operations.end(),
            [](const Operation &a, const Operation &b) { return a.deviation < b.deviation; });
  // What lies just within the tolerance may lack operations that lie just beyond: then leave out the least exact ones
  // until the rest is a group, at last the identity alone.
  std::string symbol = symbol_of(operations);
  while (symbol.empty() && operations.size() > 1) {
    operations.pop_back();
    symbol = symbol_of(operations);
  }
  return symbol.empty() ? "C1" : symbol;
}

}  // namespace hea::clusters
