// Random but valid model files, as bytes that tests can also damage.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct ModelSize {
  std::vector<std::string> elements = {"Ni", "Cu", "Pd"};
  int n_features = 5, n_angular = 3, n_interactions = 2, n_intervals = 12, n_hidden = 4, rank_pair = 2, rank_many = 3;
  double cutoff = 4.0;
  std::string activation = "ssp";
  bool sigma = true;
};

struct StoredTensor {
  std::string type = "F64";
  std::vector<int> shape;
  std::vector<double> values;
};

// A model file in pieces: change them, then take the bytes.
struct ModelFile {
  std::string document;  // JSON of the metadata key "hea"
  std::map<std::string, StoredTensor> tensors;
  std::vector<unsigned char> bytes() const;
};

ModelFile random_model(const ModelSize &size, unsigned seed);
