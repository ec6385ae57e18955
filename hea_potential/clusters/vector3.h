// Vectors and matrices of three dimensions.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace hea::clusters {

using Vector3 = std::array<double, 3>;
using Matrix3 = std::array<Vector3, 3>;  // rows

// Three numbers of an array, and nine.
inline Vector3 vector_of(const double *x) {
  return {x[0], x[1], x[2]};
}
inline Matrix3 matrix_of(const double *rows) {
  return {vector_of(rows), vector_of(rows + 3), vector_of(rows + 6)};
}

inline Vector3 operator+(const Vector3 &a, const Vector3 &b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}
inline Vector3 operator-(const Vector3 &a, const Vector3 &b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
inline Vector3 operator*(double factor, const Vector3 &a) {
  return {factor * a[0], factor * a[1], factor * a[2]};
}
inline double dot(const Vector3 &a, const Vector3 &b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
inline double norm(const Vector3 &a) {
  return std::sqrt(dot(a, a));
}
inline Vector3 cross(const Vector3 &a, const Vector3 &b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

inline Vector3 operator*(const Matrix3 &m, const Vector3 &a) {
  return {dot(m[0], a), dot(m[1], a), dot(m[2], a)};
}
inline Matrix3 transposed(const Matrix3 &m) {
  return {Vector3{m[0][0], m[1][0], m[2][0]}, Vector3{m[0][1], m[1][1], m[2][1]}, Vector3{m[0][2], m[1][2], m[2][2]}};
}
inline Matrix3 operator*(const Matrix3 &a, const Matrix3 &b) {
  const Matrix3 columns = transposed(b);
  Matrix3 product;
  for (std::size_t i = 0; i < 3; ++i)
    product[i] = {dot(a[i], columns[0]), dot(a[i], columns[1]), dot(a[i], columns[2])};
  return product;
}

// The solution x of m x = a, by Cramer's rule; m must not be singular.
inline Vector3 solved(const Matrix3 &m, const Vector3 &a) {
  const Matrix3 columns = transposed(m);
  const Vector3 yz = cross(columns[1], columns[2]);
  const double inverse = 1.0 / dot(columns[0], yz);
  return {inverse * dot(a, yz), inverse * dot(columns[0], cross(a, columns[2])),
          inverse * dot(columns[0], cross(columns[1], a))};
}

// The rotation about an axis by its length as the angle in radians (Rodrigues).
inline Matrix3 rotation(const Vector3 &axis) {
  const double angle2 = dot(axis, axis), angle = std::sqrt(angle2);
  const double sine = angle > 1e-8 ? std::sin(angle) / angle : 1.0;
  const double half = angle > 1e-8 ? (1.0 - std::cos(angle)) / angle2 : 0.5;
  Matrix3 result;
  for (std::size_t i = 0; i < 3; ++i) {
    Vector3 unit{};
    unit[i] = 1.0;
    // Row i of I + sine [axis]x + half [axis]x^2.
    result[i] = unit - sine * cross(axis, unit) + half * (axis[i] * axis - angle2 * unit);
  }
  return result;
}

}  // namespace hea::clusters
