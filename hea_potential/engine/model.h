// The model file (.safetensors, ARCHITECTURE.md section 2.1) as plain arrays of doubles.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace hea {

// The message says what was wrong, what was got and what is allowed.
class ModelError : public std::runtime_error {
 public:
  // What a file holds may be quoted in the message: bytes that are not UTF-8 become '?'.
  explicit ModelError(const std::string &message);
};

struct Model {
  std::vector<std::string> elements;
  std::vector<int> atomic_numbers;
  double cutoff = 0.0;
  int n_interactions = 0, n_features = 0, n_angular = 0, n_intervals = 0, n_hidden = 0;
  int rank_pair = 0, rank_many = 0;
  enum class Activation { ssp, silu } head_activation = Activation::ssp;
  // Tensors by the names and shapes of the file, row-major.
  std::vector<double> embedding, in2f, filters, f2out1_weight, f2out1_bias, f2out2_weight, f2out2_bias;
  std::vector<double> adapter_in, adapter_out, head_hidden_weight, head_hidden_bias, head_out, e0;
  std::vector<double> zbl_inner, zbl_outer, distance_min, gram;
  bool has_sigma = false;
  double sigma_scale = 0.0, sigma_ridge = 0.0;
  std::string metadata;  // the JSON document as it stands in the file

  int n_elements() const { return static_cast<int>(elements.size()); }
  int n_channels() const { return n_features + 2 * n_angular; }
  int n_pairs() const { return n_elements() * (n_elements() + 1) / 2; }
  int pair_index(int a, int b) const;
};

Model read_model(const std::string &path);                       // throws ModelError
Model read_model(const unsigned char *bytes, std::size_t size);  // throws ModelError

}  // namespace hea
