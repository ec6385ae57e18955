// What pair_style hea writes to a restart file: its options, the model by name and content hash, the elements by type.
#include "atom.h"
#include "comm.h"
#include "error.h"
#include "memory.h"
#include "pair_hea.h"

namespace LAMMPS_NS {

namespace {

constexpr int record_version = 1;
constexpr int longest_text = 1 << 16;

template<typename T>
void write_value(FILE *file, const T &value) {
  fwrite(&value, sizeof(T), 1, file);
}

void write_text(FILE *file, const std::string &text) {
  write_value(file, static_cast<int>(text.size()));
  fwrite(text.data(), 1, text.size(), file);
}

// Rank 0 reads, every rank gets it.
struct RestartReader {
  FILE *file;
  int rank;
  MPI_Comm world;
  Error *error;

  void bytes(void *target, int size) const {
    if (rank == 0) utils::sfread(FLERR, target, 1, size, file, nullptr, error);
    MPI_Bcast(target, size, MPI_BYTE, 0, world);
  }

  template<typename T>
  T value() const {
    T got{};
    bytes(&got, sizeof(T));
    return got;
  }

  std::string text() const {
    const int size = value<int>();
    if (size < 0 || size > longest_text)
      error->all(FLERR, "Pair style hea: damaged restart file, a text of {} bytes (allowed are 0 to {})", size,
                 longest_text);
    std::string got(size, ' ');
    if (size > 0) bytes(got.data(), size);
    return got;
  }
};

}  // namespace

void PairHEA::write_restart_settings(FILE *file) {
  write_value(file, record_version);
  write_value(file, static_cast<int>(precision_ == hea::Precision::fp64));
  write_value(file, kappa_);
}

void PairHEA::read_restart_settings(FILE *file) {
  const RestartReader read{file, comm->me, world, error};
  const int version = read.value<int>();
  if (version != record_version)
    error->all(FLERR, "Pair style hea: restart record version {} is unknown, allowed is {}", version, record_version);
  precision_ = read.value<int>() ? hea::Precision::fp64 : hea::Precision::fp32;
  kappa_ = read.value<double>();
}

void PairHEA::write_restart(FILE *file) {
  write_restart_settings(file);
  write_text(file, model_name_);
  write_value(file, model_hash_);
  write_value(file, static_cast<int>(element_of_type_.size()));
  for (const std::string &element : element_of_type_) write_text(file, element);
}

// A model that moved or changed is an error only if the deck does not give a pair_coeff of its own before it runs.
void PairHEA::read_restart(FILE *file) {
  read_restart_settings(file);
  const RestartReader read{file, comm->me, world, error};
  const std::string name = read.text();
  const auto hash = read.value<std::uint64_t>();
  const int n_types = read.value<int>();
  if (n_types != atom->ntypes)
    error->all(FLERR, "Pair style hea: damaged restart file, elements of {} atom types (allowed are {})", n_types,
               atom->ntypes);
  std::vector<std::string> element_by_type(n_types);
  for (std::string &element : element_by_type) element = read.text();
  try {
    set_model(name, element_by_type);
    if (model_hash_ != hash)
      restart_problem_ = fmt::format(
          "model '{}' is not the one that the restart file was written with: its content hash is {:x}, expected {:x}. "
          "Restore that model, or accept this one with a new pair_coeff command",
          name, model_hash_, hash);
  } catch (const std::exception &e) {
    restart_problem_ = fmt::format("the restart file's {}. A new pair_coeff command can name another file", e.what());
    claim_types();
  }
}

}  // namespace LAMMPS_NS
