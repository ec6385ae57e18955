#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "elements.h"
#include "json.h"
#include "safetensors.h"
#include "utf8.h"

namespace hea {
namespace {

using Shape = std::vector<std::int64_t>;

// Far above anything useful, far below what would overflow the sizes of tensors.
constexpr int max_elements = 118, max_interactions = 32, max_features = 4096, max_intervals = 100000;
constexpr int max_hidden = 4096, max_rank = 1024;
constexpr double max_cutoff = 100.0;

std::string text_of(const Shape &shape) {
  std::string out = "[";
  for (std::size_t k = 0; k < shape.size(); ++k) out += (k ? ", " : "") + std::to_string(shape[k]);
  return out + "]";
}

std::string text_of(const Json &value) {
  if (value.kind == Json::Kind::string) return "'" + value.string.substr(0, 40) + "'";
  if (value.kind == Json::Kind::number) {
    const bool whole = value.number == std::floor(value.number) && std::abs(value.number) < 1e15;
    return whole ? std::to_string(static_cast<long long>(value.number)) : std::to_string(value.number);
  }
  return kind_name(value.kind);
}

// The JSON document in the metadata, with checked access to its members.
class Document {
 public:
  explicit Document(const std::string &text) : json_(parse_json(text, "metadata 'hea'")) {
    if (json_.kind != Json::Kind::object) throw ModelError("metadata 'hea' is not a JSON object");
  }

  const Json *find(const std::string &key) const { return json_.find(key); }

  const Json &get(const std::string &key, Json::Kind kind) const {
    const Json *value = json_.find(key);
    if (value == nullptr) throw ModelError("metadata 'hea': '" + key + "' is missing");
    if (value->kind != kind) {
      throw ModelError("metadata 'hea': '" + key + "' is " + kind_name(value->kind) + ", allowed is " +
                       kind_name(kind));
    }
    return *value;
  }

  int integer(const std::string &key, int low, int high) const {
    const Json &value = get(key, Json::Kind::number);
    if (value.number != std::floor(value.number) || value.number < low || value.number > high) {
      throw ModelError("metadata 'hea': '" + key + "' is " + text_of(value) + ", allowed are integers from " +
                       std::to_string(low) + " to " + std::to_string(high));
    }
    return static_cast<int>(value.number);
  }

  void expect(const std::string &key, const std::string &allowed) const {
    const Json &value = get(key, Json::Kind::string);
    if (value.string != allowed) {
      throw ModelError("metadata 'hea': '" + key + "' is " + text_of(value) + ", allowed is '" + allowed + "'");
    }
  }

 private:
  Json json_;
};

int atomic_number(const std::string &symbol) {
  for (std::size_t z = 1; z < element_symbols.size(); ++z) {
    if (symbol == element_symbols[z]) return static_cast<int>(z);
  }
  throw ModelError("metadata 'hea': unknown element '" + symbol.substr(0, 40) + "'");
}

void read_elements(const Document &document, Model &model) {
  const Json &elements = document.get("elements", Json::Kind::array);
  if (elements.items.empty() || elements.items.size() > max_elements) {
    throw ModelError("metadata 'hea': 'elements' has " + std::to_string(elements.items.size()) +
                     " members, allowed are 1 to " + std::to_string(max_elements));
  }
  for (const Json &symbol : elements.items) {
    if (symbol.kind != Json::Kind::string) throw ModelError("metadata 'hea': 'elements' must hold strings");
    if (std::find(model.elements.begin(), model.elements.end(), symbol.string) != model.elements.end()) {
      throw ModelError("metadata 'hea': the element " + text_of(symbol) + " comes twice");
    }
    model.atomic_numbers.push_back(atomic_number(symbol.string));
    model.elements.push_back(symbol.string);
  }
}

void read_units(const Document &document) {
  const Json &units = document.get("units", Json::Kind::object);
  for (const auto &[key, allowed] : {std::pair<const char *, const char *>{"energy", "eV"}, {"length", "Angstrom"}}) {
    const Json *unit = units.find(key);
    if (unit == nullptr || unit->kind != Json::Kind::string || unit->string != allowed) {
      throw ModelError(std::string("metadata 'hea': the unit of ") + key + " is " +
                       (unit == nullptr ? "missing" : text_of(*unit)) + ", allowed is '" + allowed + "'");
    }
  }
}

double positive(const Json *value, const std::string &name, double high) {
  if (value == nullptr || value->kind != Json::Kind::number || !(value->number > 0.0) || value->number > high) {
    throw ModelError("metadata 'hea': '" + name + "' is " + (value == nullptr ? "missing" : text_of(*value)) +
                     ", allowed are numbers above 0 up to " + std::to_string(high));
  }
  return value->number;
}

void read_document(const Document &document, Model &model) {
  document.expect("format", "hea-potential");
  const Json &version = document.get("version", Json::Kind::number);
  if (version.number != 1) {
    throw ModelError("model format version " + text_of(version) + ", this program reads version 1");
  }
  read_elements(document, model);
  read_units(document);
  model.cutoff = positive(document.find("cutoff"), "cutoff", max_cutoff);
  model.n_interactions = document.integer("n_interactions", 1, max_interactions);
  model.n_features = document.integer("n_features", 1, max_features);
  model.n_angular = document.integer("n_angular", 0, model.n_features);
  model.n_intervals = document.integer("n_intervals", 1, max_intervals);
  model.n_hidden = document.integer("n_hidden", 1, max_hidden);
  model.rank_pair = document.integer("rank_pair", 0, max_rank);
  model.rank_many = document.integer("rank_many", 0, max_rank);
  const Json &activation = document.get("head_activation", Json::Kind::string);
  if (activation.string != "ssp" && activation.string != "silu") {
    throw ModelError("metadata 'hea': 'head_activation' is " + text_of(activation) + ", allowed are 'ssp' and 'silu'");
  }
  model.head_activation = activation.string == "ssp" ? Model::Activation::ssp : Model::Activation::silu;
  if (const Json *sigma = document.find("sigma")) {
    if (sigma->kind != Json::Kind::object) throw ModelError("metadata 'hea': 'sigma' is not an object");
    model.has_sigma = true;
    model.sigma_scale = positive(sigma->find("scale"), "sigma.scale", 1e300);
    model.sigma_ridge = positive(sigma->find("ridge"), "sigma.ridge", 1e300);
  }
}

template<typename Stored>
void convert(const Tensor &tensor, const std::string &name, std::vector<double> &out) {
  for (std::size_t k = 0; k < out.size(); ++k) {
    Stored value;
    std::memcpy(&value, tensor.data + k * sizeof(Stored), sizeof(Stored));
    if (!std::isfinite(value)) {
      throw ModelError("tensor '" + name + "' has a non-finite number at place " + std::to_string(k));
    }
    out[k] = static_cast<double>(value);
  }
}

// Takes tensors out of the file one by one, so that what is left over at the end is extra.
class TensorReader {
 public:
  explicit TensorReader(SafeTensors &file) : file_(file) {}

  void read(const std::string &name, const Shape &shape, std::vector<double> &out, bool only_f64 = false) {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) throw ModelError("tensor '" + name + "' is missing");
    const Tensor &tensor = found->second;
    if (tensor.shape != shape) {
      throw ModelError("tensor '" + name + "' has the shape " + text_of(tensor.shape) + ", allowed is " +
                       text_of(shape));
    }
    const std::size_t width = tensor.type == "F64" ? 8 : tensor.type == "F32" && !only_f64 ? 4 : 0;
    if (width == 0) {
      throw ModelError("tensor '" + name + "' has the type '" + tensor.type.substr(0, 40) + "', allowed is " +
                       (only_f64 ? "F64" : "F32 or F64"));
    }
    std::size_t count = 1;
    for (const std::int64_t length : shape) count *= static_cast<std::size_t>(length);
    if (tensor.n_bytes != count * width) {
      throw ModelError("tensor '" + name + "' has " + std::to_string(tensor.n_bytes) +
                       " bytes of data, its shape needs " + std::to_string(count * width));
    }
    out.resize(count);
    if (width == 8)
      convert<double>(tensor, name, out);
    else
      convert<float>(tensor, name, out);
    file_.tensors.erase(found);
  }

  void check_nothing_left() const {
    if (!file_.tensors.empty()) {
      throw ModelError("unexpected tensor '" + file_.tensors.begin()->first.substr(0, 40) + "'");
    }
  }

 private:
  SafeTensors &file_;
};

void read_tensors(SafeTensors &file, Model &model) {
  const std::int64_t s = model.n_elements(), f = model.n_features, l = model.n_interactions, d = model.n_hidden;
  const std::int64_t c = model.n_channels(), pairs = model.n_pairs(), knots = model.n_intervals + 3;
  const std::int64_t rows = s * model.rank_pair + model.rank_many;
  TensorReader reader(file);
  reader.read("embedding", {s, f}, model.embedding);
  reader.read("in2f", {l, f, f}, model.in2f);
  reader.read("filters", {l, pairs, knots, c}, model.filters);
  reader.read("f2out1.weight", {l, f, c}, model.f2out1_weight);
  reader.read("f2out1.bias", {l, f}, model.f2out1_bias);
  reader.read("f2out2.weight", {l, f, f}, model.f2out2_weight);
  reader.read("f2out2.bias", {l, f}, model.f2out2_bias);
  if (rows > 0) {
    reader.read("adapter.in", {l, s, rows, c}, model.adapter_in);
    reader.read("adapter.out", {l, s, f, rows}, model.adapter_out);
  }
  reader.read("head.hidden.weight", {s, d, f}, model.head_hidden_weight);
  reader.read("head.hidden.bias", {s, d}, model.head_hidden_bias);
  reader.read("head.out", {s, d}, model.head_out);
  reader.read("e0", {s}, model.e0);
  reader.read("zbl.inner", {pairs}, model.zbl_inner);
  reader.read("zbl.outer", {pairs}, model.zbl_outer);
  reader.read("distance.min", {pairs}, model.distance_min);
  if (model.has_sigma) reader.read("gram", {s * d, s * d}, model.gram, true);
  reader.check_nothing_left();
}

void check_pairs(const Model &model) {
  for (int a = 0; a < model.n_elements(); ++a) {
    for (int b = a; b < model.n_elements(); ++b) {
      const auto pair = static_cast<std::size_t>(model.pair_index(a, b));
      const std::string name =
          model.elements[static_cast<std::size_t>(a)] + "-" + model.elements[static_cast<std::size_t>(b)];
      const double inner = model.zbl_inner[pair], outer = model.zbl_outer[pair];
      if (inner < 0 || outer < 0 || outer > model.cutoff || (outer > 0 && inner >= outer)) {
        throw ModelError("ZBL of " + name + " is switched off from " + std::to_string(inner) + " to " +
                         std::to_string(outer) + " A, allowed is 0 <= inner < outer <= cutoff (" +
                         std::to_string(model.cutoff) + " A), or outer = 0 for none");
      }
      if (model.distance_min[pair] < 0) {
        throw ModelError("distance.min of " + name + " is " + std::to_string(model.distance_min[pair]) +
                         ", allowed are non-negative numbers");
      }
    }
  }
}

void check_filters_end_in_zero(const Model &model) {
  const std::size_t channels = static_cast<std::size_t>(model.n_channels());
  const std::size_t table = static_cast<std::size_t>(model.n_intervals + 3) * channels;
  for (std::size_t end = table; end <= model.filters.size(); end += table) {
    for (std::size_t k = end - 3 * channels; k < end; ++k) {
      if (model.filters[k] != 0.0) {
        throw ModelError("tensor 'filters': the last three control points of a table are not zero at place " +
                         std::to_string(k) + ", allowed is zero (filters vanish at the cutoff)");
      }
    }
  }
}

}  // namespace

int Model::pair_index(int a, int b) const {
  const int low = std::min(a, b), high = std::max(a, b);
  return low * n_elements() - low * (low - 1) / 2 + (high - low);
}

Model read_model(const unsigned char *bytes, std::size_t size) {
  SafeTensors file = read_safetensors(bytes, size);
  const auto found = file.metadata.find("hea");
  if (found == file.metadata.end()) throw ModelError("not a hea-potential model: __metadata__ has no key 'hea'");
  Model model;
  model.metadata = found->second;
  read_document(Document(model.metadata), model);
  if (model.has_sigma != (file.tensors.count("gram") == 1)) {
    throw ModelError("'sigma' in the metadata and the tensor 'gram' must come together");
  }
  read_tensors(file, model);
  check_pairs(model);
  check_filters_end_in_zero(model);
  return model;
}

ModelError::ModelError(const std::string &message) : std::runtime_error(readable(message)) {}

Model read_model(const std::string &path) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream) throw ModelError(path + ": cannot be opened");
  const std::streamoff size = stream.tellg();
  // A folder opens as a stream, and tells a size that nothing can have.
  if (size < 0 || size > (std::streamoff{1} << 40)) throw ModelError(path + ": cannot be read (a folder?)");
  std::vector<unsigned char> bytes(static_cast<std::size_t>(size));
  stream.seekg(0);
  if (!stream.read(reinterpret_cast<char *>(bytes.data()), size)) throw ModelError(path + ": cannot be read");
  try {
    return read_model(bytes.data(), bytes.size());
  } catch (const ModelError &error) {
    throw ModelError(path + ": " + error.what());
  }
}

}  // namespace hea
