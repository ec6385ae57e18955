#include "model_file.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fs = std::filesystem;

namespace LAMMPS_NS {

namespace {

constexpr char extension[] = ".safetensors";
constexpr std::uintmax_t most_bytes = 1u << 30;  // MPI counts are ints; real models have a few MB

fs::path plugin_folder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<void *>(&load_model_file), &info) || !info.dli_fname) return {};
  return fs::absolute(info.dli_fname).parent_path();
}

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  if (const char *variable = std::getenv("HEA_MODEL_PATH")) {
    std::istringstream entries(variable);
    for (std::string folder; std::getline(entries, folder, ':');)
      if (!folder.empty()) folders.emplace_back(folder);
  }
  folders.push_back(plugin_folder().parent_path() / "models");
  return folders;
}

std::string known_models(const std::vector<fs::path> &folders) {
  std::vector<std::string> names;
  for (const fs::path &folder : folders) {
    std::error_code ignored;  // a folder that is not there holds no models
    for (const auto &entry : fs::directory_iterator(folder, ignored))
      if (entry.path().extension() == extension) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text;
  for (const std::string &name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

fs::path find_model(const std::string &name) {
  const bool is_path = name.find('/') != std::string::npos;
  const std::vector<fs::path> folders = model_folders();
  for (const fs::path &folder : folders) {
    const fs::path candidate = folder / (name + extension);
    if (!is_path && fs::exists(candidate)) return candidate;
  }
  if (is_path || fs::path(name).extension() == extension || fs::exists(name)) return name;
  throw ModelFileError("unknown model '" + name + "': allowed are a known name (" + known_models(folders) +
                       ") or the path of a .safetensors file");
}

std::vector<unsigned char> read_bytes(const fs::path &path) {
  if (!fs::is_regular_file(path)) throw ModelFileError("cannot read model '" + path.string() + "': no such file");
  const std::uintmax_t size = fs::file_size(path);
  if (size > most_bytes)
    throw ModelFileError("cannot read model '" + path.string() + "': it has " + std::to_string(size) +
                         " bytes, at most " + std::to_string(most_bytes) + " are allowed");
  std::vector<unsigned char> bytes(size);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char *>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) throw ModelFileError("cannot read model '" + path.string() + "': no permission, or it changed meanwhile");
  return bytes;
}

std::uint64_t fnv1a(const std::vector<unsigned char> &bytes) {
  std::uint64_t hash = 14695981039346656037u;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

template<typename Container>
void broadcast(Container &content, MPI_Comm world) {
  int size = static_cast<int>(content.size());
  MPI_Bcast(&size, 1, MPI_INT, 0, world);
  content.resize(size);
  MPI_Bcast(content.data(), size, MPI_BYTE, 0, world);
}

}  // namespace

ModelFile load_model_file(const std::string &name, MPI_Comm world) {
  int rank = 0;
  MPI_Comm_rank(world, &rank);
  ModelFile file;
  std::string problem;
  if (rank == 0) {
    try {
      const fs::path path = find_model(name);
      file.bytes = read_bytes(path);
      file.path = path.string();
    } catch (const std::exception &e) {
      problem = e.what();
    }
  }
  broadcast(problem, world);
  if (!problem.empty()) throw ModelFileError(problem);
  broadcast(file.path, world);
  broadcast(file.bytes, world);
  file.hash = fnv1a(file.bytes);
  return file;
}

}  // namespace LAMMPS_NS
