#include "safetensors.h"

#include <algorithm>
#include <cmath>

#include "json.h"
#include "model.h"

namespace hea {
namespace {

constexpr std::size_t max_header = std::size_t{16} << 20;
constexpr double max_exact_integer = 9007199254740992.0;  // 2^53: JSON numbers are read as doubles

std::int64_t natural(const Json &value, const std::string &what) {
  if (value.kind != Json::Kind::number || value.number < 0 || value.number > max_exact_integer ||
      value.number != std::floor(value.number)) {
    throw ModelError(what + ": expected a non-negative integer");
  }
  return static_cast<std::int64_t>(value.number);
}

const Json &member(const Json &object, const std::string &key, Json::Kind kind, const std::string &what) {
  const Json *value = object.find(key);
  if (value == nullptr) throw ModelError(what + ": '" + key + "' is missing");
  if (value->kind != kind) {
    throw ModelError(what + ": '" + key + "' is " + kind_name(value->kind) + ", allowed is " + kind_name(kind));
  }
  return *value;
}

Tensor read_tensor(const std::string &name, const Json &entry, const unsigned char *data, std::size_t n_data) {
  const std::string what = "tensor '" + name + "'";
  if (entry.kind != Json::Kind::object) throw ModelError(what + ": its entry is not an object");
  Tensor tensor;
  tensor.type = member(entry, "dtype", Json::Kind::string, what).string;
  for (const Json &length : member(entry, "shape", Json::Kind::array, what).items) {
    tensor.shape.push_back(natural(length, what + ", shape"));
  }
  const Json &offsets = member(entry, "data_offsets", Json::Kind::array, what);
  if (offsets.items.size() != 2) throw ModelError(what + ": data_offsets must be two numbers");
  const auto begin = static_cast<std::size_t>(natural(offsets.items[0], what + ", data_offsets"));
  const auto end = static_cast<std::size_t>(natural(offsets.items[1], what + ", data_offsets"));
  if (begin > end || end > n_data) {
    throw ModelError(what + ": its data are bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                     ", the file has " + std::to_string(n_data) + " bytes of data (truncated?)");
  }
  tensor.data = data + begin;
  tensor.n_bytes = end - begin;
  return tensor;
}

void check_no_gaps(const SafeTensors &file, const unsigned char *data, std::size_t n_data) {
  std::vector<const Tensor *> order;
  for (const auto &entry : file.tensors) order.push_back(&entry.second);
  std::sort(order.begin(), order.end(), [](const Tensor *a, const Tensor *b) {
    return a->data != b->data ? a->data < b->data : a->n_bytes < b->n_bytes;
  });
  const unsigned char *expected = data;
  for (const Tensor *tensor : order) {
    if (tensor->data != expected) throw ModelError("the tensors leave gaps or overlap in the file");
    expected += tensor->n_bytes;
  }
  if (expected != data + n_data) {
    throw ModelError("the file has " + std::to_string(data + n_data - expected) + " bytes after its last tensor");
  }
}

}  // namespace

SafeTensors read_safetensors(const unsigned char *bytes, std::size_t size) {
  if (size < 8) throw ModelError("not a safetensors file: " + std::to_string(size) + " bytes, at least 8 are needed");
  std::uint64_t n_header = 0;
  for (int k = 7; k >= 0; --k) n_header = n_header << 8 | bytes[k];
  if (n_header > size - 8 || n_header > max_header) {
    throw ModelError("not a safetensors file, or a truncated one: the header should have " + std::to_string(n_header) +
                     " bytes, allowed are at most " + std::to_string(std::min(size - 8, max_header)));
  }
  const std::string text(reinterpret_cast<const char *>(bytes + 8), static_cast<std::size_t>(n_header));
  const Json header = parse_json(text, "header of the safetensors file");
  if (header.kind != Json::Kind::object) throw ModelError("the header of the safetensors file is not a JSON object");

  const unsigned char *data = bytes + 8 + n_header;
  const std::size_t n_data = size - 8 - static_cast<std::size_t>(n_header);
  SafeTensors file;
  for (const auto &[name, entry] : header.members) {
    if (name != "__metadata__") {
      file.tensors.emplace(name, read_tensor(name, entry, data, n_data));
      continue;
    }
    if (entry.kind != Json::Kind::object) throw ModelError("__metadata__ is not a JSON object");
    for (const auto &[key, value] : entry.members) {
      if (value.kind != Json::Kind::string) throw ModelError("__metadata__ '" + key + "' is not a string");
      file.metadata.emplace(key, value.string);
    }
  }
  check_no_gaps(file, data, n_data);
  return file;
}

}  // namespace hea
