#include "random_model.h"

#include <cmath>
#include <cstring>
#include <random>

namespace {

std::string quoted(const std::string &text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

std::string document_of(const ModelSize &s) {
  std::string elements;
  for (const std::string &element : s.elements) elements += (elements.empty() ? "" : ", ") + quoted(element);
  const auto number = [](const char *key, int value) { return ", " + quoted(key) + ": " + std::to_string(value); };
  return "{\"format\": \"hea-potential\", \"version\": 1, \"elements\": [" + elements +
         "], \"units\": {\"energy\": \"eV\", \"length\": \"Angstrom\"}, \"cutoff\": " + std::to_string(s.cutoff) +
         number("n_interactions", s.n_interactions) + number("n_features", s.n_features) +
         number("n_angular", s.n_angular) + number("n_intervals", s.n_intervals) + number("n_hidden", s.n_hidden) +
         number("rank_pair", s.rank_pair) + number("rank_many", s.rank_many) +
         ", \"head_activation\": " + quoted(s.activation) +
         (s.sigma ? ", \"sigma\": {\"scale\": 0.5, \"ridge\": 0.1}" : "") + "}";
}

}  // namespace

ModelFile random_model(const ModelSize &size, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  ModelFile file;
  file.document = document_of(size);
  const int s = static_cast<int>(size.elements.size()), f = size.n_features, l = size.n_interactions, d = size.n_hidden;
  const int c = f + 2 * size.n_angular, pairs = s * (s + 1) / 2, knots = size.n_intervals + 3;
  const int rows = s * size.rank_pair + size.rank_many;
  const auto add = [&](const std::string &name, std::vector<int> shape, double scale, double shift = 0.0) {
    StoredTensor &tensor = file.tensors[name];
    std::size_t count = 1;
    for (const int length : shape) count *= static_cast<std::size_t>(length);
    tensor.shape = std::move(shape);
    for (std::size_t k = 0; k < count; ++k) tensor.values.push_back(shift + scale * normal(generator));
  };
  add("embedding", {s, f}, 1.0);
  add("in2f", {l, f, f}, 1.0 / std::sqrt(f));
  add("filters", {l, pairs, knots, c}, 0.3);
  std::vector<double> &filters = file.tensors["filters"].values;
  for (std::size_t k = 0; k < filters.size(); ++k) {
    if (static_cast<int>(k / static_cast<std::size_t>(c)) % knots >= knots - 3) filters[k] = 0.0;
  }
  add("f2out1.weight", {l, f, c}, 1.0 / std::sqrt(c));
  add("f2out1.bias", {l, f}, 0.1);
  add("f2out2.weight", {l, f, f}, 1.0 / std::sqrt(f));
  add("f2out2.bias", {l, f}, 0.1);
  if (rows > 0) {
    add("adapter.in", {l, s, rows, c}, 1.0 / std::sqrt(c));
    add("adapter.out", {l, s, f, rows}, 1.0 / std::sqrt(rows));
  }
  add("head.hidden.weight", {s, d, f}, 1.0 / std::sqrt(f));
  add("head.hidden.bias", {s, d}, 0.1);
  add("head.out", {s, d}, 1.0);
  add("e0", {s}, 3.0);
  add("zbl.inner", {pairs}, 0.0, 0.7);
  add("zbl.outer", {pairs}, 0.0, 1.6);
  add("distance.min", {pairs}, 0.0, 1.5);
  if (size.sigma) {
    add("gram", {s * d, s * d}, 0.0);
    std::vector<double> &gram = file.tensors["gram"].values;
    const auto n = static_cast<std::size_t>(s * d);
    std::vector<double> sample(n);
    for (std::size_t k = 0; k < 3 * n; ++k) {
      for (double &x : sample) x = normal(generator);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) gram[i * n + j] += sample[i] * sample[j];
      }
    }
  }
  return file;
}

std::vector<unsigned char> ModelFile::bytes() const {
  std::string header = "{\"__metadata__\": {\"hea\": " + quoted(document) + "}";
  std::vector<unsigned char> data;
  for (const auto &[name, tensor] : tensors) {
    const std::size_t begin = data.size();
    for (const double value : tensor.values) {
      unsigned char raw[8];
      const float narrow = static_cast<float>(value);
      const std::size_t width = tensor.type == "F32" ? 4 : 8;
      if (width == 4)
        std::memcpy(raw, &narrow, 4);
      else
        std::memcpy(raw, &value, 8);
      data.insert(data.end(), raw, raw + width);
    }
    std::string shape;
    for (const int length : tensor.shape) shape += (shape.empty() ? "" : ", ") + std::to_string(length);
    header += ", " + quoted(name) + ": {\"dtype\": " + quoted(tensor.type) + ", \"shape\": [" + shape +
              "], \"data_offsets\": [" + std::to_string(begin) + ", " + std::to_string(data.size()) + "]}";
  }
  header += "}";
  std::vector<unsigned char> out;
  for (int k = 0; k < 8; ++k) out.push_back(static_cast<unsigned char>(header.size() >> (8 * k)));
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}
