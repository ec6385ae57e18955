#include <limits>
#include <random>

#include "check.h"
#include "model.h"
#include "random_model.h"

namespace {

hea::Model read(const std::vector<unsigned char> &bytes) {
  return hea::read_model(bytes.data(), bytes.size());
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
  const std::size_t at = text.find(from);
  CHECK(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void reads_what_was_written() {
  const ModelFile file = random_model(ModelSize{}, 1);
  const hea::Model model = read(file.bytes());
  CHECK(model.elements == (std::vector<std::string>{"Ni", "Cu", "Pd"}));
  CHECK(model.atomic_numbers == (std::vector<int>{28, 29, 46}));
  CHECK(model.cutoff == 4.0);
  CHECK(model.n_channels() == 11);
  CHECK(model.pair_index(0, 0) == 0 && model.pair_index(2, 1) == 4 && model.pair_index(2, 2) == 5);
  CHECK(model.filters == file.tensors.at("filters").values);
  CHECK(model.adapter_out == file.tensors.at("adapter.out").values);
  CHECK(model.gram == file.tensors.at("gram").values);
  CHECK(model.has_sigma && model.sigma_scale == 0.5 && model.sigma_ridge == 0.1);
  CHECK(model.metadata == file.document);
}

void reads_single_precision_and_models_without_parts() {
  ModelSize size;
  size.rank_pair = size.rank_many = size.n_angular = 0;
  size.sigma = false;
  ModelFile file = random_model(size, 2);
  for (auto &[name, tensor] : file.tensors) tensor.type = "F32";
  const hea::Model model = read(file.bytes());
  CHECK(model.adapter_in.empty() && model.gram.empty() && !model.has_sigma);
  CHECK_NEAR(model.embedding[0], file.tensors.at("embedding").values[0], 1e-6);
}

void refuses_wrong_metadata() {
  const ModelFile valid = random_model(ModelSize{}, 3);
  const auto refuse = [&](const char *from, const char *to, const char *words) {
    ModelFile file = valid;
    file.document = replaced(file.document, from, to);
    CHECK_THROWS(hea::ModelError, words, read(file.bytes()));
  };
  refuse("hea-potential", "other", "'format' is 'other', allowed is 'hea-potential'");
  refuse("\"version\": 1", "\"version\": 2", "model format version 2, this program reads version 1");
  refuse("\"Cu\"", "\"Cq\"", "unknown element 'Cq'");
  refuse("\"Cu\"", "\"Ni\"", "'Ni' comes twice");
  refuse("\"eV\"", "\"Ry\"", "the unit of energy is 'Ry', allowed is 'eV'");
  refuse("\"cutoff\": 4", "\"cutoff\": -4", "'cutoff' is");
  refuse("\"n_angular\": 3", "\"n_angular\": 6", "'n_angular' is 6, allowed are integers from 0 to 5");
  refuse("\"n_features\": 5", "\"n_features\": 5.5", "'n_features' is 5.5");
  refuse("\"n_features\": 5", "\"n_features\": 1e300", "'n_features' is");
  refuse("\"n_hidden\": 4, ", "", "'n_hidden' is missing");
  refuse("\"ssp\"", "\"relu\"", "'head_activation' is 'relu', allowed are 'ssp' and 'silu'");
  refuse("\"scale\": 0.5", "\"scale\": 0", "'sigma.scale' is 0");
  refuse(", \"sigma\": {\"scale\": 0.5, \"ridge\": 0.1}", "", "must come together");
  refuse("{\"format\"", "[\"format\"", "not valid JSON");
}

void refuses_wrong_tensors() {
  const ModelFile valid = random_model(ModelSize{}, 4);
  const auto refuse = [&](const char *words, auto damage) {
    ModelFile file = valid;
    damage(file.tensors);
    CHECK_THROWS(hea::ModelError, words, read(file.bytes()));
  };
  refuse("tensor 'in2f' is missing", [](auto &t) { t.erase("in2f"); });
  refuse("unexpected tensor 'other'", [](auto &t) { t["other"] = t["e0"]; });
  refuse("tensor 'e0' has the shape [1, 3], allowed is [3]", [](auto &t) { t["e0"].shape = {1, 3}; });
  refuse("tensor 'e0' has the type 'I64', allowed is F32 or F64", [](auto &t) { t["e0"].type = "I64"; });
  refuse("tensor 'gram' has the type 'F32', allowed is F64", [](auto &t) { t["gram"].type = "F32"; });
  refuse("tensor 'e0' has 16 bytes of data, its shape needs 24", [](auto &t) { t["e0"].values.pop_back(); });
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    refuse("tensor 'head.out' has a non-finite number at place 2", [bad](auto &t) { t["head.out"].values[2] = bad; });
  }
  refuse("the last three control points of a table are not zero", [](auto &t) { t["filters"].values.back() = 1e-9; });
  refuse("ZBL of Ni-Cu is switched off from 0.7", [](auto &t) { t["zbl.outer"].values[1] = 4.5; });
  refuse("ZBL of Ni-Cu is switched off from 2.0", [](auto &t) { t["zbl.inner"].values[1] = 2.0; });
  refuse("distance.min of Pd-Pd is -1", [](auto &t) { t["distance.min"].values[5] = -1.0; });
}

void refuses_every_truncation_and_appended_bytes() {
  ModelSize small;
  small.n_features = 2;
  small.n_angular = 1;
  small.n_intervals = 4;
  const std::vector<unsigned char> bytes = random_model(small, 5).bytes();
  for (std::size_t length = 0; length < bytes.size(); length += length < 2000 ? 1 : 37) {
    const std::vector<unsigned char> start(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(!check::message_of<hea::ModelError>([&] { read(start); }).empty());
  }
  std::vector<unsigned char> longer = bytes;
  longer.push_back(0);
  CHECK_THROWS(hea::ModelError, "1 bytes after its last tensor", read(longer));
}

void survives_mutations() {
  const std::vector<unsigned char> bytes = random_model(ModelSize{}, 6).bytes();
  std::mt19937 generator(7);
  int refused = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    std::vector<unsigned char> mutated = bytes;
    // Mostly in the header, where a mutation does more than change a number.
    const std::size_t range = trial % 4 == 0 ? mutated.size() : std::size_t{2500};
    for (int k = 0; k <= trial % 3; ++k) mutated[generator() % range] = static_cast<unsigned char>(generator());
    try {
      read(mutated);
    } catch (const hea::ModelError &) {
      ++refused;
    }
  }
  CHECK(refused > 500);
}

void names_the_file() {
  CHECK_THROWS(hea::ModelError, "/no/such/model: cannot be opened", hea::read_model("/no/such/model"));
  CHECK_THROWS(hea::ModelError, "/: cannot be read", hea::read_model("/"));
}

}  // namespace

int main() {
  return check::run_all(
      {{"reads what was written", reads_what_was_written},
       {"reads single precision and models without parts", reads_single_precision_and_models_without_parts},
       {"refuses wrong metadata", refuses_wrong_metadata},
       {"refuses wrong tensors", refuses_wrong_tensors},
       {"refuses every truncation and appended bytes", refuses_every_truncation_and_appended_bytes},
       {"survives mutations", survives_mutations},
       {"names the file", names_the_file}});
}
