// The orthogonal matrices that take a cluster to itself.
#pragma once

#include <vector>

#include "atoms.h"
#include "vector3.h"

namespace hea::clusters {

struct Operation {
  bool is_proper;  // a rotation; otherwise a rotation and an inversion
  double trace;
  double deviation;                      // largest distance of an atom's image from the atom that it is taken to
  std::vector<std::size_t> permutation;  // the atom to which each is taken
};

// Finds the operations of a cluster about its centre.
class SymmetrySearch {
 public:
  // `tolerance` in units of length.
  SymmetrySearch(const Atoms &atoms, double tolerance);

  // Whether all atoms lie on a line through the centre.
  bool is_linear() const;

  // Whether the inversion takes every atom to within the tolerance of an atom of its type.
  bool has_inversion() const;

  // All operations, the identity among them; the cluster must not be linear.
  std::vector<Operation> operations() const;

 private:
  struct Anchors {
    std::size_t first, second;
  };

  // The atom to which each is taken, and the one that is taken to each, as far as that is known.
  struct Matching {
    std::vector<std::size_t> to, from;
  };

  Anchors anchors() const;
  template<typename Visit>
  void for_like(std::size_t i, const Visit &visit) const;
  Operation identity() const;
  void try_operation(const Matrix3 &start, const Anchors &from, const Anchors &to, bool is_proper, Matching &matching,
                     std::vector<Operation> &found) const;
  Matrix3 frame(const Anchors &atoms) const;
  bool match(const Matrix3 &matrix, double reach, Matching &matching) const;
  Matrix3 refined(Matrix3 matrix, const std::vector<std::size_t> &permutation) const;
  double deviation(const Matrix3 &matrix, const std::vector<std::size_t> &permutation) const;

  // By how much the distances of like atoms from the centre may differ.
  double like() const { return 2.0 * tolerance_; }

  double tolerance_;
  // Sorted by distance from the centre.
  std::vector<Vector3> positions_;
  std::vector<double> radii_;
  std::vector<std::int64_t> types_;
};

}  // namespace hea::clusters
