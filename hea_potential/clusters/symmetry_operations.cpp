#include "symmetry_operations.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace hea::clusters {
namespace {

constexpr double loose = 3.0;          // times the tolerance: how far images may be off before a matrix is refined
constexpr double clear_of_axis = 0.2;  // least sine of the angle between the directions of the two anchors

}  // namespace

SymmetrySearch::SymmetrySearch(const Atoms &atoms, double tolerance) : tolerance_(tolerance) {
  Vector3 centre{};
  for (std::size_t i = 0; i < atoms.n; ++i) {
    for (std::size_t k = 0; k < 3; ++k) centre[k] += atoms.positions[3 * i + k] / static_cast<double>(atoms.n);
  }
  std::vector<Vector3> centred;
  centred.reserve(atoms.n);
  for (std::size_t i = 0; i < atoms.n; ++i) {
    centred.push_back(vector_of(atoms.positions + 3 * i) - centre);
  }
  std::vector<double> squares;
  squares.reserve(atoms.n);
  for (const Vector3 &x : centred) squares.push_back(dot(x, x));
  std::vector<std::size_t> order(atoms.n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return squares[i] < squares[j]; });
  positions_.reserve(atoms.n);
  radii_.reserve(atoms.n);
  types_.reserve(atoms.n);
  for (const std::size_t i : order) {
    positions_.push_back(centred[i]);
    radii_.push_back(norm(centred[i]));
    types_.push_back(atoms.types[i]);
  }
}

bool SymmetrySearch::is_linear() const {
  if (radii_.back() <= tolerance_) return true;
  const Vector3 along = (1.0 / radii_.back()) * positions_.back();
  return std::all_of(positions_.begin(), positions_.end(),
                     [&](const Vector3 &x) { return norm(x - dot(x, along) * along) <= tolerance_; });
}

bool SymmetrySearch::has_inversion() const {
  const Matrix3 inversion{Vector3{-1, 0, 0}, Vector3{0, -1, 0}, Vector3{0, 0, -1}};
  Matching matching;
  return match(inversion, tolerance_, matching);
}

std::vector<Operation> SymmetrySearch::operations() const {
  std::vector<Operation> found{identity()};
  const Anchors from = anchors();
  const Matrix3 axes = frame(from);
  const double apart = norm(positions_[from.first] - positions_[from.second]);
  Matching matching;
  for_like(from.first, [&](std::size_t first) {
    for_like(from.second, [&](std::size_t second) {
      const double gap = norm(positions_[first] - positions_[second]);
      if (second == first || std::abs(gap - apart) > 2.0 * tolerance_) return;
      const Anchors to{first, second};
      Matrix3 target = transposed(frame(to));
      const bool is_identity = first == from.first && second == from.second;
      if (!is_identity) try_operation(target * axes, from, to, true, matching, found);
      for (Vector3 &row : target) row[2] = -row[2];  // the third axis of the images the other way: improper
      try_operation(target * axes, from, to, false, matching, found);
    });
  });
  return found;
}

Operation SymmetrySearch::identity() const {
  std::vector<std::size_t> permutation(positions_.size());
  std::iota(permutation.begin(), permutation.end(), std::size_t{0});
  return {true, 3.0, 0.0, std::move(permutation)};
}

// Two atoms away from the centre and not in line with it, whose images under an operation fix it but for its sense:
// those with the fewest like atoms, because every pair of these has to be tried.
SymmetrySearch::Anchors SymmetrySearch::anchors() const {
  const std::size_t n = positions_.size();
  std::vector<std::size_t> number(n, 0);  // of like atoms
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n && radii_[j] <= radii_[i] + like(); ++j) {
      const std::size_t is_like = types_[j] == types_[i] ? 1 : 0;
      number[i] += is_like;
      number[j] += is_like;
    }
  }
  std::size_t first = n - 1;
  for (std::size_t i = 0; i < n; ++i) {
    if (radii_[i] > 0.3 * radii_.back() && number[i] < number[first]) first = i;
  }
  const auto is_away = [&](std::size_t i) { return i != first && radii_[i] > 0.3 * radii_.back(); };
  const auto sine = [&](std::size_t i) {
    return norm(cross(positions_[first], positions_[i])) / (radii_[first] * radii_[i]);
  };
  std::size_t second = n;
  for (std::size_t i = 0; i < n; ++i) {
    if (is_away(i) && (second == n || number[i] < number[second]) && sine(i) > clear_of_axis) second = i;
  }
  if (second != n) return {first, second};
  double largest_sine = -1.0;
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_away(i) || sine(i) <= largest_sine) continue;
    largest_sine = sine(i);
    second = i;
  }
  return {first, second};
}

// Calls visit(j) for all atoms of the same type at the same distance from the centre.
template<typename Visit>
void SymmetrySearch::for_like(std::size_t i, const Visit &visit) const {
  const auto begin = std::lower_bound(radii_.begin(), radii_.end(), radii_[i] - like());
  for (auto j = static_cast<std::size_t>(begin - radii_.begin()); j < radii_.size() && radii_[j] <= radii_[i] + like();
       ++j) {
    if (types_[j] == types_[i]) visit(j);
  }
}

// Adds the operation near a matrix that takes these anchors to those, if there is one; `matching` is room for work.
void SymmetrySearch::try_operation(const Matrix3 &start, const Anchors &from, const Anchors &to, bool is_proper,
                                   Matching &matching, std::vector<Operation> &found) const {
  if (!match(start, loose * tolerance_, matching)) return;
  const std::vector<std::size_t> &permutation = matching.to;
  // Otherwise these images of the anchors give another operation, which is found from its own images.
  if (permutation[from.first] != to.first || permutation[from.second] != to.second) return;
  const Matrix3 matrix = refined(start, permutation);
  const double off = deviation(matrix, permutation);
  if (off > tolerance_) return;
  found.push_back({is_proper, matrix[0][0] + matrix[1][1] + matrix[2][2], off, permutation});
}

// Rows: the direction of the first anchor, that of the second one's part across it, and their cross product.
Matrix3 SymmetrySearch::frame(const Anchors &atoms) const {
  const Vector3 along = (1.0 / radii_[atoms.first]) * positions_[atoms.first];
  const Vector3 &second = positions_[atoms.second];
  const Vector3 rest = second - dot(second, along) * along;
  const Vector3 across = (1.0 / std::max(norm(rest), std::numeric_limits<double>::min())) * rest;
  return {along, across, cross(along, across)};
}

// Finds for every atom the like one nearest to its image; false unless all are within reach and no two the same.
bool SymmetrySearch::match(const Matrix3 &matrix, double reach, Matching &matching) const {
  const std::size_t n = positions_.size();
  auto &[to, from] = matching;
  to.resize(n);
  from.resize(n);
  std::size_t begin = 0;  // the first atom that is not too near to the centre
  for (std::size_t i = 0; i < n; ++i) {
    const Vector3 image = matrix * positions_[i];
    while (radii_[begin] < radii_[i] - reach) ++begin;
    double nearest2 = reach * reach;
    std::size_t partner = n;
    for (std::size_t j = begin; j < n && radii_[j] <= radii_[i] + reach; ++j) {
      const Vector3 gap = image - positions_[j];
      const double square = dot(gap, gap);
      if (types_[j] == types_[i] && square <= nearest2) {
        nearest2 = square;
        partner = j;
      }
    }
    if (partner == n) return false;
    // What is left from earlier calls is never both: that needs no clearing.
    const bool is_taken = from[partner] < i && to[from[partner]] == partner;
    if (is_taken) return false;
    to[i] = partner;
    from[partner] = i;
  }
  return true;
}

// The matrix near a given one with the least sum of squared distances: Gauss-Newton for the rotation that has to
// follow.
Matrix3 SymmetrySearch::refined(Matrix3 matrix, const std::vector<std::size_t> &permutation) const {
  for (int round = 0; round < 2; ++round) {
    Matrix3 inertia{};
    Vector3 torque{};
    for (std::size_t i = 0; i < positions_.size(); ++i) {
      const Vector3 image = matrix * positions_[i];
      torque = torque + cross(image, positions_[permutation[i]]);
      for (std::size_t k = 0; k < 3; ++k) {
        inertia[k] = inertia[k] - image[k] * image;
        inertia[k][k] += dot(image, image);
      }
    }
    matrix = rotation(solved(inertia, torque)) * matrix;
  }
  return matrix;
}

double SymmetrySearch::deviation(const Matrix3 &matrix, const std::vector<std::size_t> &permutation) const {
  double largest = 0.0;
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    largest = std::max(largest, norm(matrix * positions_[i] - positions_[permutation[i]]));
  }
  return largest;
}

}  // namespace hea::clusters
