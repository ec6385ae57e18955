#include "completion.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "lanes.h"
#include "orbits.h"
#include "ranking.h"

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

Vector3 mean_of(const std::vector<Vector3> &points, const std::vector<std::size_t> &chosen, std::size_t count) {
  Vector3 sum{};
  for (std::size_t k = 0; k < count; ++k) sum = sum + points[chosen[k]];
  return (1.0 / static_cast<double>(count)) * sum;
}

// Points four at a time, so that the nearest of them is found quickly: single precision is enough to compare frames.
class Fours {
 public:
  explicit Fours(const std::vector<Vector3> &points) : fours_((points.size() + lanes - 1) / lanes) {
    for (std::size_t i = 0; i < lanes * fours_.size(); ++i) {
      const Vector3 &point = points[std::min(i, points.size() - 1)];  // the last one fills what is left
      for (std::size_t k = 0; k < 3; ++k) fours_[i / lanes].coordinates[k][i % lanes] = static_cast<float>(point[k]);
    }
  }

  // Squared distance of a point from the nearest one.
  double nearest_square(const Vector3 &to) const {
    const float x = static_cast<float>(to[0]), y = static_cast<float>(to[1]), z = static_cast<float>(to[2]);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Lanes nearest = {infinity, infinity, infinity, infinity};
    for (const Four &four : fours_) {
      const Lanes a = four.coordinates[0] - x, b = four.coordinates[1] - y, c = four.coordinates[2] - z;
      const Lanes square = a * a + b * b + c * c;
      nearest = square < nearest ? square : nearest;
    }
    return std::min(std::min(nearest[0], nearest[1]), std::min(nearest[2], nearest[3]));
  }

 private:
  struct Four {
    Lanes coordinates[3];
  };
  std::vector<Four> fours_;
};

// Squared distance of each point's image from the nearest point, summed; infinite once it is above a limit.
double misfit(const std::vector<Vector3> &points, const Fours &fours, const Matrix3 &operation, double limit) {
  double sum = 0.0;
  for (const Vector3 &point : points) {
    sum += fours.nearest_square(operation * point);
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
std::vector<Vector3> placed_in_group(Random &random, const Atoms &parent, const PointGroup &group, std::size_t core) {
  std::vector<Vector3> positions(parent.n);
  for (std::size_t i = 0; i < parent.n; ++i) positions[i] = vector_of(parent.positions + 3 * i);
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
  const Matrix3 frame = best_frame(random, inner, group);
  for (Vector3 &position : positions) position = frame * position;
  return positions;
}

}  // namespace

Matrix3 best_frame(Random &random, const std::vector<Vector3> &points, const PointGroup &group) {
  Matrix3 chosen[tried];
  for (Matrix3 &operation : chosen) {
    // The identity, which is the first one, suits any frame.
    const std::size_t which = group.order() > 1 ? 1 + random.below(group.order() - 1) : 0;
    operation = matrix_of(&group.operations[9 * which]);
  }
  const Fours fours(points);
  Matrix3 best{};
  double least = std::numeric_limits<double>::infinity();
  for (int k = 0; k < frames; ++k) {
    const Matrix3 frame = random_frame(random, points);
    if (k == 0) best = frame;
    double sum = 0.0;
    for (const Matrix3 &operation : chosen) {
      sum += misfit(points, fours, transposed(frame) * (operation * frame), least - sum);
      if (!(sum < least)) break;
    }
    if (sum < least) {
      least = sum;
      best = frame;
    }
  }
  return best;
}

Completed completed(Random &random, const Atoms &parent, const PointGroup &group, std::size_t core, double overlap) {
  const double bond = parent.mean_bond(), apart = overlap * bond;
  const std::vector<Vector3> positions = placed_in_group(random, parent, group, core);
  const double blur = (random.uniform() < 0.5 ? nearly : loosely) * bond;
  std::vector<double> distances;
  for (const Vector3 &position : positions) distances.push_back(norm(position) + random.uniform(0.0, blur));
  const std::vector<std::size_t> inwards_first = ranked(distances);
  Stock stock(parent);
  Completed result;
  Arrangement &whole = result.cluster;
  for (std::size_t rank = 0; rank < parent.n; ++rank) {
    const std::size_t atom = inwards_first[rank];
    const Vector3 &own = positions[atom];
    std::vector<double> points(own.begin(), own.end());
    if (rank < core) points = orbit(own.data(), group.order(), group.operations.data(), apart);
    const std::size_t count = points.size() / 3;
    if (count > stock.total() || nearest_square(points.data(), whole.positions) < apart * apart) continue;
    const std::vector<std::int64_t> types = stock.take(random, count, parent.type(atom));
    whole.types.insert(whole.types.end(), types.begin(), types.end());
    whole.positions.insert(whole.positions.end(), points.begin(), points.end());
  }
  result.others = stock.all(random);
  return result;
}

}  // namespace hea::clusters
