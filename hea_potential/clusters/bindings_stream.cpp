// The part of the Python module that makes random bits, in the shape of numpy's bit generators.
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cmath>
#include <stdexcept>

#include "arrays.h"
#include "stream.h"
#include "thompson.h"

namespace hea::clusters {
namespace {

using namespace nb::literals;

// A stream with what numpy asks of it besides bits: a lock, which its generators hold while they draw.
struct LockedStream : Stream {
  using Stream::Stream;
  nb::object lock = new_lock();

  static nb::object new_lock() {
    static const nb::handle type = nb::object(nb::module_::import_("threading").attr("Lock")).release();
    return type();
  }
};

std::vector<LockedStream *> spawned(LockedStream &self, std::size_t count) {
  std::vector<LockedStream *> children;
  for (std::size_t k = 0; k < count; ++k) {
    children.push_back(new LockedStream(std::vector<std::uint64_t>{self.next(), self.next()}));
  }
  return children;
}

// Which of some alternatives is most promising, by uses, successes and cost of each.
std::size_t most_promising_of(const nb::capsule &bit_generator, const std::vector<std::array<double, 3>> &records) {
  if (records.empty()) throw std::invalid_argument("no records; at least one is needed");
  std::vector<Record> known;
  for (const auto &[uses, successes, cost] : records) {
    if (!(0.0 <= successes && successes <= uses && std::isfinite(uses) && cost >= 0.0 && std::isfinite(cost))) {
      throw std::invalid_argument("a record of " + std::to_string(uses) + " uses, " + std::to_string(successes) +
                                  " successes and a cost of " + std::to_string(cost) +
                                  "; allowed are finite ones with 0 <= successes <= uses and 0 <= cost");
    }
    known.push_back({uses, successes, cost});
  }
  Random random = random_of(bit_generator);
  return most_promising(random, known);
}

}  // namespace

void define_stream(nb::module_ &m) {
  nb::class_<LockedStream>(m, "Stream", "Random bits that some whole numbers, of up to 64 bits each, decide.")
      .def(
          "__init__",
          [](LockedStream *self, const nb::args &numbers) {
            std::vector<std::uint64_t> words;
            for (const nb::handle number : numbers) words.push_back(nb::cast<std::uint64_t>(number));
            new (self) LockedStream(words);
          },
          "numbers"_a)
      .def_prop_ro("capsule", [](LockedStream &self) { return nb::capsule(self.source(), "BitGenerator"); })
      .def_ro("lock", &LockedStream::lock)
      .def("spawn", spawned, "n_children"_a, nb::rv_policy::take_ownership);
  m.def("most_promising", most_promising_of, "bit_generator"_a, "records"_a);
}

}  // namespace hea::clusters
