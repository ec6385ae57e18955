#include <algorithm>

#include "check.h"
#include "random_source.h"
#include "thompson.h"

using namespace hea::clusters;

namespace {

constexpr int many = 100000;

void normal_numbers_have_their_moments() {
  std::mt19937_64 engine(1);
  Random random = random_of(engine);
  double sum = 0.0, squares = 0.0, fourth = 0.0, products = 0.0, before = 0.0;
  for (int k = 0; k < many; ++k) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    products += x * before;
    before = x;
  }
  // Each within six standard deviations.
  CHECK_NEAR(sum / many, 0.0, 6.0 / std::sqrt(many));
  CHECK_NEAR(squares / many, 1.0, 6.0 * std::sqrt(2.0 / many));
  CHECK_NEAR(fourth / many, 3.0, 6.0 * std::sqrt(96.0 / many));
  CHECK_NEAR(products / many, 0.0, 6.0 / std::sqrt(many));
}

void beta_numbers_have_their_moments() {
  std::mt19937_64 engine(4);
  Random random = random_of(engine);
  for (const auto &[a, b] : {std::pair{1.0, 1.0}, std::pair{1.5, 8.0}, std::pair{30.0, 4.0}}) {
    double sum = 0.0, squares = 0.0;
    for (int k = 0; k < many; ++k) {
      const double x = random.beta(a, b);
      CHECK(x > 0.0 && x < 1.0);
      sum += x;
      squares += x * x;
    }
    const double mean = a / (a + b), variance = mean * (1.0 - mean) / (a + b + 1.0);
    CHECK_NEAR(sum / many, mean, 6.0 * std::sqrt(variance / many));
    CHECK_NEAR(squares / many, variance + mean * mean, 6.0 * std::sqrt(variance / many) * 2.0);
  }
}

void draws_follow_the_weights() {
  std::mt19937_64 engine(2);
  Random random = random_of(engine);
  const std::vector<double> weights{0.0, 1.0, 0.0, 3.0, 0.0};
  std::vector<int> drawn(weights.size(), 0);
  for (int k = 0; k < many; ++k) ++drawn[random.one_of(weights)];
  CHECK(drawn[0] + drawn[2] + drawn[4] == 0);
  CHECK_NEAR(drawn[3], 0.75 * many, 6.0 * std::sqrt(0.1875 * many));
  CHECK(random.one_of({0.0, 1e-300}) == 1);
}

void shuffles_lead_everywhere() {
  std::mt19937_64 engine(3);
  Random random = random_of(engine);
  int counts[4][4] = {};
  for (int k = 0; k < many; ++k) {
    std::vector<std::size_t> items{0, 1, 2, 3};
    random.shuffle(items);
    for (std::size_t place = 0; place < 4; ++place) ++counts[items[place]][place];
  }
  for (const auto &row : counts) {
    for (const int count : row) CHECK_NEAR(count, 0.25 * many, 6.0 * std::sqrt(0.1875 * many));
  }
}

void the_more_promising_is_chosen_more_often() {
  std::mt19937_64 engine(5);
  Random random = random_of(engine);
  const auto share_of_first = [&](const Record &first, const Record &second) {
    int chosen = 0;
    for (int k = 0; k < many; ++k) chosen += most_promising(random, {first, second}) == 0 ? 1 : 0;
    return static_cast<double>(chosen) / many;
  };
  const double six = 3.0 / std::sqrt(many);  // standard deviations
  const Record usual{50.0, 20.0, 5000.0};
  CHECK_NEAR(share_of_first(usual, usual), 0.5, six);
  // What was never used is taken to cost as much as the other, and to succeed with any chance: with 0.5 on the average.
  CHECK_NEAR(share_of_first({0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}), 0.5, six);
  CHECK(share_of_first({50.0, 30.0, 5000.0}, usual) > 0.9);
  CHECK(share_of_first({50.0, 20.0, 2500.0}, usual) > 0.9);
  const double of_unknown = share_of_first({0.0, 0.0, 0.0}, usual);
  CHECK(of_unknown > 0.5 && of_unknown < 0.65);
}

}  // namespace

int main() {
  return check::run_all({{"normal numbers have their moments", normal_numbers_have_their_moments},
                         {"beta numbers have their moments", beta_numbers_have_their_moments},
                         {"draws follow the weights", draws_follow_the_weights},
                         {"the more promising is chosen more often", the_more_promising_is_chosen_more_often},
                         {"shuffles lead everywhere", shuffles_lead_everywhere}});
}
