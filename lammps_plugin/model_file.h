// Finds a model by its shipped name or path and gives its bytes to every rank.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace LAMMPS_NS {

// Raised with the same message on every rank, so that the caller may stop with error->all.
class ModelFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ModelFile {
  std::string path;
  std::vector<unsigned char> bytes;
  std::uint64_t hash = 0;  // FNV-1a of the bytes: restart files carry it
};

// `name` is that of a known model, NAME.safetensors in the folders of the environment's HEA_MODEL_PATH or in models/
// beside this plugin's folder, or else a path.
// Rank 0 reads, the others receive.
ModelFile load_model_file(const std::string &name, MPI_Comm world);

}  // namespace LAMMPS_NS
