#include <set>

#include "check.h"
#include "stream.h"

using namespace hea::clusters;

namespace {

// The reference is the definition of the generator, with numbers of any size in Python.
void bits_are_those_of_the_definition() {
  Stream stream(Stream::State{1, 2, 3, 4});
  for (const std::uint64_t bits : {41943041ULL, 58720359ULL, 3588806011781223ULL, 3591011842654386ULL}) {
    CHECK(stream.next() == bits);
  }
}

void streams_differ_by_every_number_and_their_order() {
  std::set<std::uint64_t> first;
  const std::vector<std::vector<std::uint64_t>> keys{{}, {0}, {0, 0}, {1}, {1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {12, 3}};
  for (const std::vector<std::uint64_t> &key : keys) {
    Stream one(key), again(key);
    first.insert(one.next());
    CHECK(again.next() == *first.find(Stream(key).next()));
  }
  CHECK(first.size() == keys.size());
}

void fractions_fill_the_interval() {
  Stream stream(std::vector<std::uint64_t>{7});
  Random random(*stream.source());
  double sum = 0.0;
  for (int k = 0; k < 100000; ++k) {
    const double x = random.uniform();
    CHECK(x >= 0.0 && x < 1.0);
    sum += x;
  }
  CHECK_NEAR(sum / 100000, 0.5, 6.0 * std::sqrt(1.0 / 12.0 / 100000));
}

}  // namespace

int main() {
  return check::run_all(
      {{"bits are those of the definition", bits_are_those_of_the_definition},
       {"streams differ by every number and their order", streams_differ_by_every_number_and_their_order},
       {"fractions fill the interval", fractions_fill_the_interval}});
}
