// The part of the Python module that makes random bits, in the shape of numpy's bit generators.
#include <nanobind/stl/vector.h>

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
}

}  // namespace hea::clusters
