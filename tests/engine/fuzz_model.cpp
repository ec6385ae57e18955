// libFuzzer: whatever the bytes, the reader gives a model or throws ModelError; and what it read can be evaluated.
// A structure-aware half starts from a valid file and overwrites parts of it, so that mutations get past the header.
#include <algorithm>
#include <stdexcept>

#include "potential.h"
#include "random_model.h"

namespace {

void read_and_evaluate(const std::vector<unsigned char> &bytes) {
  hea::Model model;
  try {
    model = hea::read_model(bytes.data(), bytes.size());
  } catch (const hea::ModelError &) {
    return;
  }
  hea::Potential potential(model, {0}, hea::Precision::fp64);
  const int type[] = {0, 0}, neighbour[] = {1};
  const std::int64_t first[] = {0, 1, 1};
  const double vector[] = {0.5 * model.cutoff, 0.1, 0.2};
  hea::Configuration pair;
  pair.n_owned = pair.n_all = 2;
  pair.type = type;
  pair.first = first;
  pair.neighbour = neighbour;
  pair.vector = vector;
  double force[6] = {};
  hea::Result result;
  result.force = force;
  potential.evaluate(pair, hea::Options{}, nullptr, result);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  static const std::vector<unsigned char> valid = random_model(ModelSize{}, 1).bytes();
  read_and_evaluate(std::vector<unsigned char>(data, data + size));
  // Triples (place high, place low, byte).
  std::vector<unsigned char> damaged = valid;
  for (std::size_t k = 0; k + 2 < size; k += 3) damaged[(data[k] * 256u + data[k + 1]) % damaged.size()] = data[k + 2];
  read_and_evaluate(damaged);
  return 0;
}
