// Every instruction set that this processor has, against plain loops.
#include <algorithm>
#include <random>

#include "aligned.h"
#include "check.h"
#include "kernels.h"

namespace {

constexpr const char *names[] = {"avx512", "avx2", "baseline"};

template<typename T>
constexpr double epsilon = sizeof(T) == 4 ? 1e-6 : 1e-14;

template<typename T>
hea::Aligned<T> random_numbers(std::mt19937 &generator, std::size_t n) {
  std::normal_distribution<double> normal;
  hea::Aligned<T> out(n);
  for (T &x : out) x = static_cast<T>(normal(generator));
  return out;
}

template<typename T>
void for_each_table(void (*test)(const hea::Kernels<T> &)) {
  int found = 0;
  for (const char *name : names) {
    if (const hea::Kernels<T> *kernels = hea::kernels_named<T>(name)) {
      CHECK(std::string(kernels->name) == name);
      test(*kernels);
      ++found;
    }
  }
  CHECK(found > 0);
  CHECK(hea::kernels_named<T>("unknown") == nullptr);
}

template<typename T>
void multiply(const hea::Kernels<T> &kernels) {
  std::mt19937 generator(1);
  for (const int n : {16, 32, 48, 64, 80, 144}) {
    for (const int k : {1, 16, 48}) {
      for (const int m : {1, 2, 5, 6, 7, 13}) {
        const auto in = random_numbers<T>(generator, static_cast<std::size_t>(m * k));
        const auto weights = random_numbers<T>(generator, static_cast<std::size_t>(k * n));
        const auto bias = random_numbers<T>(generator, static_cast<std::size_t>(n));
        const auto before = random_numbers<T>(generator, static_cast<std::size_t>(m * n));
        hea::Aligned<T> packed(weights.size()), out = before, product(out.size());
        hea::pack(weights.data(), k, n, kernels.panel, packed.data());
        kernels.multiply(m, n, k, in.data(), k, packed.data(), bias.data(), true, out.data(), n);
        kernels.multiply(m, n, k, in.data(), k, packed.data(), nullptr, false, product.data(), n);
        for (int row = 0; row < m; ++row) {
          for (int column = 0; column < n; ++column) {
            double expected = 0.0;
            for (int p = 0; p < k; ++p) {
              expected += static_cast<double>(in[static_cast<std::size_t>(row * k + p)]) *
                          static_cast<double>(weights[static_cast<std::size_t>(p * n + column)]);
            }
            const auto at = static_cast<std::size_t>(row * n + column);
            CHECK_NEAR(static_cast<double>(product[at]), expected, 20 * epsilon<T>);
            expected += static_cast<double>(before[at]) + static_cast<double>(bias[static_cast<std::size_t>(column)]);
            CHECK_NEAR(static_cast<double>(out[at]), expected, 20 * epsilon<T>);
          }
        }
      }
    }
  }
}

template<typename T>
void activations(const hea::Kernels<T> &kernels) {
  constexpr std::size_t n = 4096;
  hea::Aligned<T> x(n), value(n), slope(n), other(n), product(n, T(3)), gate(n, T(0.5)), gated(n), gradient(n, T(2)),
      by_gate(n, T(1));
  for (std::size_t k = 0; k < n; ++k) x[k] = static_cast<T>((static_cast<double>(k) - 2048.0) / 20.48);  // -100 .. 100
  x[0] = T(-1e4);
  x[n - 1] = T(1e4);
  kernels.ssp(n, x.data(), other.data());
  kernels.ssp_and_slope(n, x.data(), value.data(), slope.data());
  kernels.times_ssp_slope(n, x.data(), product.data());
  kernels.gated_ssp(n, x.data(), gate.data(), gated.data());
  kernels.gated_ssp_backward(n, x.data(), gate.data(), gradient.data(), by_gate.data());
  for (std::size_t k = 0; k < n; ++k) {
    const double at = static_cast<double>(x[k]), e = std::exp(-std::abs(at));
    const double expected = std::max(at, 0.0) + std::log1p(e) - std::log(2.0);
    const double expected_slope = at < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
    const double tolerance = 0.5 * epsilon<T> * (1.0 + std::abs(expected));
    CHECK_NEAR(static_cast<double>(value[k]), expected, tolerance);
    CHECK(value[k] == other[k]);
    CHECK_NEAR(static_cast<double>(slope[k]), expected_slope, 0.5 * epsilon<T> * expected_slope + 1e-37);
    CHECK_NEAR(static_cast<double>(product[k]), 3.0 * expected_slope, 2.0 * epsilon<T>);
    CHECK_NEAR(static_cast<double>(gated[k]), 0.5 * expected, tolerance);
    CHECK_NEAR(static_cast<double>(gradient[k]), expected_slope, 2.0 * epsilon<T>);
    CHECK_NEAR(static_cast<double>(by_gate[k]), 1.0 + 2.0 * expected, 4.0 * tolerance);
  }
  kernels.silu_and_slope(n, x.data(), value.data(), slope.data());
  for (std::size_t k = 0; k < n; ++k) {
    const double at = static_cast<double>(x[k]), s = 1.0 / (1.0 + std::exp(-at));
    CHECK_NEAR(static_cast<double>(value[k]), at * s, epsilon<T> * (1.0 + std::abs(at)));
    CHECK_NEAR(static_cast<double>(slope[k]), s * (1.0 + at * (1.0 - s)), 2.0 * epsilon<T>);
  }
}

// A random graph of edges with random rows, as the kernels get it.
template<typename T>
struct Graph {
  static constexpr int n_atoms = 7;
  hea::Widths widths;
  std::vector<std::int64_t> first{0};
  hea::Aligned<hea::Edge<T>> edges;
  hea::Aligned<T> table, y, message_gradient;
  hea::EdgeList<T> list() const { return {n_atoms - 1, first.data(), edges.data()}; }  // the last atom is a ghost

  Graph(int features, int angular, std::mt19937 &generator) : widths{features, angular} {
    std::normal_distribution<double> normal;
    for (int i = 0; i + 1 < n_atoms; ++i) {
      for (int k = 0; k < i; ++k) {  // none for the first, some to itself
        hea::Edge<T> edge{};
        edge.neighbour = (i + 3 * k) % n_atoms;
        edge.table_row = static_cast<int>(generator() % 5);
        for (T &number : edge.basis) number = static_cast<T>(normal(generator));
        for (T &number : edge.slope) number = static_cast<T>(normal(generator));
        for (T &number : edge.direction) number = static_cast<T>(normal(generator));
        for (T &number : edge.harmonics) number = static_cast<T>(normal(generator));
        edges.push_back(edge);
      }
      first.push_back(static_cast<std::int64_t>(edges.size()));
    }
    table = random_numbers<T>(generator, static_cast<std::size_t>(8 * widths.channels()));
    y = random_numbers<T>(generator, static_cast<std::size_t>(n_atoms * widths.features));
    message_gradient = random_numbers<T>(generator, static_cast<std::size_t>(n_atoms * widths.message()));
  }
};

template<typename T>
hea::Aligned<double> plain_messages(const Graph<T> &graph) {
  const hea::Widths &w = graph.widths;
  hea::Aligned<double> message(static_cast<std::size_t>(Graph<T>::n_atoms * w.message()));
  const auto add = [&](const hea::Edge<T> &edge, int to, int from, double sign) {
    const auto filter = [&](int channel) {
      double sum = 0.0;
      for (int k = 0; k < 4; ++k)
        sum += double(edge.basis[k]) *
               double(graph.table[static_cast<std::size_t>((edge.table_row + k) * w.channels() + channel)]);
      return sum;
    };
    const auto y = [&](int f) { return double(graph.y[static_cast<std::size_t>(from * w.features + f)]); };
    double *row = message.data() + to * w.message();
    for (int f = 0; f < w.features; ++f) row[f] += filter(f) * y(f);
    for (int a = 0; a < w.angular; ++a) {
      double *v = row + w.features + a, *t = v + 3 * w.angular;
      for (int c = 0; c < 3; ++c) v[c * w.angular] += sign * filter(w.features + a) * double(edge.direction[c]) * y(a);
      for (int c = 0; c < 5; ++c)
        t[c * w.angular] += filter(w.features + w.angular + a) * double(edge.harmonics[c]) * y(a);
    }
  };
  for (int i = 0; i + 1 < Graph<T>::n_atoms; ++i) {
    for (std::int64_t e = graph.first[static_cast<std::size_t>(i)]; e < graph.first[static_cast<std::size_t>(i) + 1];
         ++e) {
      const hea::Edge<T> &edge = graph.edges[static_cast<std::size_t>(e)];
      add(edge, i, edge.neighbour, 1.0);
      add(edge, edge.neighbour, i, -1.0);
    }
  }
  return message;
}

template<typename T>
void edges(const hea::Kernels<T> &kernels) {
  std::mt19937 generator(3);
  for (const auto &[features, angular] : {std::pair{16, 0}, {16, 16}, {64, 16}, {80, 48}, {128, 32}}) {
    const Graph<T> graph(features, angular, generator);
    const hea::Widths &w = graph.widths;
    const hea::Aligned<double> expected = plain_messages(graph);
    hea::Aligned<T> message(expected.size());
    kernels.edges_forward(graph.list(), w, graph.table.data(), graph.y.data(), message.data());
    for (std::size_t k = 0; k < expected.size(); ++k)
      CHECK_NEAR(static_cast<double>(message[k]), expected[k], 100 * epsilon<T>);

    // Messages are linear in y: <gradient by y, y> = <gradient by messages, messages>.
    hea::Aligned<T> y_gradient(graph.y.size());
    hea::Aligned<hea::EdgeGradient<T>> gradient(graph.edges.size()), without(graph.edges.size());
    kernels.edges_backward(graph.list(), w, graph.table.data(), graph.y.data(), graph.message_gradient.data(),
                           y_gradient.data(), gradient.data());
    double by_y = 0.0, by_message = 0.0;
    for (std::size_t k = 0; k < y_gradient.size(); ++k)
      by_y += static_cast<double>(y_gradient[k]) * static_cast<double>(graph.y[k]);
    for (std::size_t k = 0; k < expected.size(); ++k)
      by_message += static_cast<double>(graph.message_gradient[k]) * expected[k];
    CHECK_NEAR(by_y, by_message, 1e4 * epsilon<T>);

    // The gradients of the edges do not depend on whether that of y is wanted.
    kernels.edges_backward(graph.list(), w, graph.table.data(), graph.y.data(), graph.message_gradient.data(), nullptr,
                           without.data());
    for (std::size_t e = 0; e < gradient.size(); ++e) {
      CHECK_NEAR(static_cast<double>(gradient[e].radial), static_cast<double>(without[e].radial), 300 * epsilon<T>);
      for (int c = 0; c < 3; ++c)
        CHECK_NEAR(static_cast<double>(gradient[e].angular[c]), static_cast<double>(without[e].angular[c]),
                   300 * epsilon<T>);
    }
  }
}

// Slopes by r: with the slope basis in the place of the basis, messages are what one edge adds per change of r.
template<typename T>
void edge_slopes(const hea::Kernels<T> &kernels) {
  std::mt19937 generator(4);
  const Graph<T> graph(32, 16, generator);
  Graph<T> changed = graph;
  for (hea::Edge<T> &edge : changed.edges)
    std::copy(std::begin(edge.slope), std::end(edge.slope), std::begin(edge.basis));
  const hea::Aligned<double> messages = plain_messages(changed);
  hea::Aligned<hea::EdgeGradient<T>> gradient(graph.edges.size());
  kernels.edges_backward(graph.list(), graph.widths, graph.table.data(), graph.y.data(), graph.message_gradient.data(),
                         nullptr, gradient.data());
  double got = 0.0, expected = 0.0;
  for (const hea::EdgeGradient<T> &g : gradient) got += static_cast<double>(g.radial);
  for (std::size_t k = 0; k < messages.size(); ++k)
    expected += static_cast<double>(graph.message_gradient[k]) * messages[k];
  CHECK_NEAR(got, expected, 1e4 * epsilon<T>);
}

template<typename T>
void invariants(const hea::Kernels<T> &kernels) {
  std::mt19937 generator(5);
  const hea::Widths w{32, 16};
  const auto message = random_numbers<T>(generator, static_cast<std::size_t>(w.message()));
  const auto q_gradient = random_numbers<T>(generator, static_cast<std::size_t>(w.channels()));
  hea::Aligned<T> q(q_gradient.size()), gradient = message;
  kernels.invariants(w, message.data(), q.data());
  kernels.invariants_backward(w, q_gradient.data(), gradient.data());
  for (std::size_t f = 0; f < 32; ++f) CHECK(q[f] == message[f] && gradient[f] == q_gradient[f]);
  for (std::size_t a = 0; a < 16; ++a) {
    double v2 = 0.0, t2 = 0.0;
    for (std::size_t c = 0; c < 3; ++c) v2 += std::pow(static_cast<double>(message[32 + 16 * c + a]), 2);
    for (std::size_t c = 3; c < 8; ++c) t2 += std::pow(static_cast<double>(message[32 + 16 * c + a]), 2);
    CHECK_NEAR(static_cast<double>(q[32 + a]), std::sqrt(1.0 + v2) - 1.0, 4 * epsilon<T>);
    CHECK_NEAR(static_cast<double>(q[48 + a]), std::sqrt(1.0 + t2) - 1.0, 4 * epsilon<T>);
    for (std::size_t c = 0; c < 8; ++c) {
      const double at = static_cast<double>(message[32 + 16 * c + a]),
                   by_q = static_cast<double>(q_gradient[(c < 3 ? 32 : 48) + a]);
      CHECK_NEAR(static_cast<double>(gradient[32 + 16 * c + a]), by_q * at / std::sqrt(1.0 + (c < 3 ? v2 : t2)),
                 10 * epsilon<T>);
    }
  }
}

}  // namespace

int main() {
  return check::run_all({{"products, fp32", [] { for_each_table<float>(multiply); }},
                         {"products, fp64", [] { for_each_table<double>(multiply); }},
                         {"activations, fp32", [] { for_each_table<float>(activations); }},
                         {"activations, fp64", [] { for_each_table<double>(activations); }},
                         {"edges, fp32", [] { for_each_table<float>(edges); }},
                         {"edges, fp64", [] { for_each_table<double>(edges); }},
                         {"slopes of edges, fp32", [] { for_each_table<float>(edge_slopes); }},
                         {"slopes of edges, fp64", [] { for_each_table<double>(edge_slopes); }},
                         {"invariants, fp32", [] { for_each_table<float>(invariants); }},
                         {"invariants, fp64", [] { for_each_table<double>(invariants); }}});
}
