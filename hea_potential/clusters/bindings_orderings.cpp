// The part of the Python module that walks from ordering to ordering.
#include <nanobind/stl/pair.h>

#include <algorithm>
#include <stdexcept>

#include "arrays.h"
#include "ordering_walk.h"

namespace hea::clusters {
namespace {

using namespace nb::literals;
using Kinds = Given<std::int32_t, -1>;
using Numbers = Given<std::int64_t, -1>;
using Field = Given<double, -1, -1>;
using Energies = Given<double, -1, -1, -1>;

void check_size(std::size_t got, std::size_t allowed, const char *what) {
  if (got != allowed) {
    throw std::invalid_argument(std::string(what) + " is " + std::to_string(got) + ", allowed is " +
                                std::to_string(allowed));
  }
}

template<typename Whole>
void check_below(const Given<Whole, -1> &numbers, std::size_t limit, const char *what) {
  for (std::size_t k = 0; k < numbers.shape(0); ++k) {
    const auto number = static_cast<std::int64_t>(numbers.data()[k]);
    if (number < 0 || number >= static_cast<std::int64_t>(limit)) {
      throw std::invalid_argument(std::string(what) + " holds " + std::to_string(number) + ", allowed are 0 to " +
                                  std::to_string(static_cast<std::int64_t>(limit) - 1));
    }
  }
}

Couplings couplings_of(const Kinds &types, const Field &field, const Numbers &first, const Numbers &second,
                       const Numbers &classes, const Energies &couplings) {
  const std::size_t sites = types.shape(0), kinds = field.shape(1), pairs = first.shape(0);
  check_size(field.shape(0), sites, "the number of rows of field");
  check_size(second.shape(0), pairs, "the length of second");
  check_size(classes.shape(0), pairs, "the length of classes");
  check_size(couplings.shape(1), kinds, "the second length of couplings");
  check_size(couplings.shape(2), kinds, "the third length of couplings");
  check_below(types, kinds, "types");
  check_below(first, sites, "first");
  check_below(second, sites, "second");
  check_below(classes, couplings.shape(0), "classes");
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    if (first.data()[pair] >= second.data()[pair]) {
      throw std::invalid_argument("a pair has the sites " + std::to_string(first.data()[pair]) + " and " +
                                  std::to_string(second.data()[pair]) + "; the first must come before the second");
    }
  }
  return {sites, kinds, couplings.shape(0), pairs, first.data(), second.data(), classes.data(), couplings.data()};
}

}  // namespace

void define_orderings(nb::module_ &m) {
  m.def(
      "ordering_walk",
      [](const nb::capsule &bit_generator, const Kinds &types, const Field &field, double energy, const Numbers &first,
         const Numbers &second, const Numbers &classes, const Energies &couplings, std::size_t steps) {
        const Couplings pairs = couplings_of(types, field, first, second, classes, couplings);
        Random random = random_of(bit_generator);
        Ordering start{
            {types.data(), types.data() + types.size()}, {field.data(), field.data() + field.size()}, energy};
        Walk walk = walked(random, pairs, std::move(start), steps);
        const std::size_t met = walk.energies.size();
        return std::make_pair(numpy_array(std::move(walk.orderings), {met, pairs.sites}),
                              numpy_array(std::move(walk.energies), {met}));
      },
      "bit_generator"_a, "types"_a, "field"_a, "energy"_a, "first"_a, "second"_a, "classes"_a, "couplings"_a,
      "steps"_a);
}

}  // namespace hea::clusters
