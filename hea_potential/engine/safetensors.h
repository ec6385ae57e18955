// Reads the container: names, types, shapes and places of tensors, and the metadata (huggingface.co/docs/safetensors).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hea {

struct Tensor {
  std::string type;  // "F32", "F64"; others are refused when read
  std::vector<std::int64_t> shape;
  const unsigned char *data = nullptr;  // inside the bytes given to read_safetensors, not aligned
  std::size_t n_bytes = 0;
};

struct SafeTensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// Throws ModelError unless the header is valid and the tensors fill the rest of the bytes without gaps or overlaps.
SafeTensors read_safetensors(const unsigned char *bytes, std::size_t size);

}  // namespace hea
