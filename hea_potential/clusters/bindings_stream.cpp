// The part of the Python module that makes random bits, in the shape of numpy's bit generators.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <stdexcept>

#include "arrays.h"
#include "stream.h"

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

// A number of the beta distribution of each two shapes.
std::vector<double> betas(const nb::capsule &bit_generator, const std::vector<std::pair<double, double>> &shapes) {
  Random random = random_of(bit_generator);
  std::vector<double> numbers;
  for (const auto &[a, b] : shapes) {
    if (!(a >= 1.0 && b >= 1.0 && std::isfinite(a) && std::isfinite(b))) {
      throw std::invalid_argument("shapes " + std::to_string(a) + " and " + std::to_string(b) +
                                  "; allowed are finite ones of at least 1");
    }
    numbers.push_back(random.beta(a, b));
  }
  return numbers;
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
  m.def("betas", betas, "bit_generator"_a, "shapes"_a);
}

}  // namespace hea::clusters
