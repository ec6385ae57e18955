#include "completion.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "orbits.h"

namespace hea::clusters {
namespace {

constexpr int frames = 16;             // placements of the symmetry elements that are tried
constexpr int tried = 3;               // operations by which they are judged
constexpr std::size_t judged = 32;     // inner atoms by which they are judged
constexpr double nearly = 0.1;         // bonds by which the order from inside is blurred, in one case of two
constexpr double loosely = 1.0;        // the same in the other case
constexpr double no_direction = 1e-6;  // noise that gives a direction to a point at the centre

double square(const Vector3 &a) {
  return dot(a, a);
}

// Indices in order of their values.
std::vector<std::size_t> ranked(const std::vector<double> &values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  return order;
}

Vector3 mean_of(const std::vector<Vector3> &points, const std::vector<std::size_t> &chosen, std::size_t count) {
  Vector3 sum{};
  for (std::size_t k = 0; k < count; ++k) sum = sum + points[chosen[k]];
  return (1.0 / static_cast<double>(count)) * sum;
}

// Squared distance of each point's image from the nearest point, summed; infinite once it is above a limit.
double misfit(const std::vector<Vector3> &points, const Matrix3 &operation, double limit) {
  double sum = 0.0;
  for (const Vector3 &point : points) {
    const Vector3 image = operation * point;
    double nearest = std::numeric_limits<double>::infinity();
    for (const Vector3 &other : points) nearest = std::min(nearest, square(image - other));
    sum += nearest;
    if (!(sum < limit)) return std::numeric_limits<double>::infinity();
  }
  return sum;
}

// Three axes at right angles: z along a random point or between two, y across it and another.
Matrix3 random_frame(Random &random, const std::vector<Vector3> &points) {
  const auto any = [&] { return points[random.below(points.size())] + no_direction * random.in_ball(); };
  const Vector3 first = any(), second = any(), third = any();
  const Vector3 along = random.uniform() < 0.5 ? first : first + second, aside = cross(along, third);
  const Vector3 z = (1.0 / norm(along)) * along, y = (1.0 / norm(aside)) * aside;
  return {cross(y, z), y, z};
}

// Atoms of each type that are still to be placed.
class Stock {
 public:
  explicit Stock(const Atoms &atoms) : left_(atoms.kinds, 0), total_(atoms.n) {
    for (std::size_t i = 0; i < atoms.n; ++i) ++left_[atoms.type(i)];
  }

  std::size_t total() const { return total_; }

  // Takes `count` atoms, of type `kind` while there are any, the others at random.
  std::vector<std::int64_t> take(Random &random, std::size_t count, std::size_t kind) {
    const std::size_t own = std::min(count, left_[kind]);
    left_[kind] -= own;
    std::vector<std::int64_t> taken(own, static_cast<std::int64_t>(kind));
    if (own < count) {
      std::vector<std::int64_t> rest = all(random);
      rest.resize(count - own);
      for (const std::int64_t type : rest) --left_[static_cast<std::size_t>(type)];
      taken.insert(taken.end(), rest.begin(), rest.end());
    }
    total_ -= count;
    return taken;
  }

  // Types of all that is left, in random order.
  std::vector<std::int64_t> all(Random &random) const {
    std::vector<std::int64_t> types;
    for (std::size_t kind = 0; kind < left_.size(); ++kind) {
      types.insert(types.end(), left_[kind], static_cast<std::int64_t>(kind));
    }
    random.shuffle(types);
    return types;
  }

 private:
  std::vector<std::size_t> left_;
  std::size_t total_;
};

// The parent's positions about the middle of its core, in the axes that suit the group best.
std::vector<Vector3> placed_in_group(Random &random, const Atoms &parent, std::size_t order, const double *operations,
                                     std::size_t core) {
  std::vector<Vector3> positions(parent.n);
  for (std::size_t i = 0; i < parent.n; ++i) std::copy_n(parent.positions + 3 * i, 3, positions[i].begin());
  std::vector<std::size_t> outwards(parent.n);
  std::iota(outwards.begin(), outwards.end(), std::size_t{0});
  const Vector3 middle = mean_of(positions, outwards, parent.n);
  std::vector<double> squares;
  for (const Vector3 &position : positions) squares.push_back(square(position - middle));
  outwards = ranked(squares);
  const Vector3 centre = mean_of(positions, outwards, core);
  for (Vector3 &position : positions) position = position - centre;
  std::vector<Vector3> inner;
  for (std::size_t k = 0; k < std::min(core, judged); ++k) inner.push_back(positions[outwards[k]]);
  const Matrix3 frame = best_frame(random, inner, order, operations);
  for (Vector3 &position : positions) position = frame * position;
  return positions;
}

}  // namespace

Matrix3 best_frame(Random &random, const std::vector<Vector3> &points, std::size_t order, const double *operations) {
  Matrix3 chosen[tried];
  for (Matrix3 &operation : chosen) {
    const double *m = operations + 9 * random.below(order);
    operation = {Vector3{m[0], m[1], m[2]}, Vector3{m[3], m[4], m[5]}, Vector3{m[6], m[7], m[8]}};
  }
  Matrix3 best{};
  double least = std::numeric_limits<double>::infinity();
  for (int k = 0; k < frames; ++k) {
    const Matrix3 frame = random_frame(random, points);
    if (k == 0) best = frame;
    double sum = 0.0;
    for (const Matrix3 &operation : chosen) {
      sum += misfit(points, transposed(frame) * (operation * frame), least - sum);
    }
    if (sum < least) {
      least = sum;
      best = frame;
    }
  }
  return best;
}

Completed completed(Random &random, const Atoms &parent, std::size_t order, const double *operations, std::size_t core,
                    double overlap) {
  const double bond = parent.mean_bond(), apart = overlap * bond;
  const std::vector<Vector3> positions = placed_in_group(random, parent, order, operations, core);
  const double blur = (random.uniform() < 0.5 ? nearly : loosely) * bond;
  std::vector<double> distances;
  for (const Vector3 &position : positions) distances.push_back(norm(position) + random.uniform(0.0, blur));
  const std::vector<std::size_t> inwards_first = ranked(distances);
  Stock stock(parent);
  Completed result;
  for (std::size_t rank = 0; rank < parent.n; ++rank) {
    const std::size_t atom = inwards_first[rank];
    const Vector3 &own = positions[atom];
    std::vector<double> points(own.begin(), own.end());
    if (rank < core) points = orbit(own.data(), order, operations, apart);
    const std::size_t count = points.size() / 3;
    const bool has_room = nearest_square(points.data(), result.positions) >= apart * apart;
    if (count > stock.total() || !has_room) continue;
    const std::vector<std::int64_t> types = stock.take(random, count, parent.type(atom));
    result.types.insert(result.types.end(), types.begin(), types.end());
    result.positions.insert(result.positions.end(), points.begin(), points.end());
  }
  result.others = stock.all(random);
  return result;
}

}  // namespace hea::clusters
