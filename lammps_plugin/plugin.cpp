// Registers the styles of this plugin with the LAMMPS that loads it, and refuses every LAMMPS but the one it was built
// for.
#include <cstdlib>

#include "comm.h"
#include "error.h"
#include "fix_atom_rows.h"
#include "lammps.h"
#include "library.h"
#include "minimize_lbfgs.h"
#include "pair_hea.h"

#ifndef HEA_LAMMPS_VERSION
#error "define HEA_LAMMPS_VERSION, the version of the LAMMPS headers as YYYYMMDD"
#endif
#define HEA_TEXT_OF(x) #x
#define HEA_TEXT(x) HEA_TEXT_OF(x)

namespace {

// The plugin interface of LAMMPS (its lammpsplugin.h, which the wheel does not ship).
using SimpleFactory = void *(void *lammps);
using ArgumentFactory = void *(void *lammps, int narg, char **arg);
struct PluginDescription {
  const char *version;
  const char *style;
  const char *name;
  const char *info;
  const char *author;
  union {
    SimpleFactory *v1;
    ArgumentFactory *v2;
  } creator;
  void *handle;
};
using Register = void (*)(PluginDescription *description, void *lammps);

// A text rather than a number, so that a test can make a plugin of another version out of the built one.
const volatile char built_for[] = HEA_TEXT(HEA_LAMMPS_VERSION);

int version_built_for() {
  int version = 0;
  for (const volatile char *digit = built_for; *digit; ++digit) version = 10 * version + (*digit - '0');
  return version;
}

// LAMMPS gives C++ plugins no stable binary interface: classes change from release to release.
LAMMPS_NS::LAMMPS *checked(void *instance, const char *style) {
  auto *lmp = static_cast<LAMMPS_NS::LAMMPS *>(instance);
  const int running = lammps_version(instance);
  const int built = version_built_for();
  if (running != built)
    lmp->error->all(
        FLERR,
        "{} was built for LAMMPS version {} but runs in version {}: install hea-potential again beside this "
        "LAMMPS",
        style, built, running);
  return lmp;
}

void *create_pair_hea(void *instance) {
  return new LAMMPS_NS::PairHEA(checked(instance, "Pair style hea"));
}

void *create_minimize_lbfgs(void *instance) {
  return new LAMMPS_NS::MinimizeLBFGS(checked(instance, "Command minimize/lbfgs"));
}

void *create_fix_atom_rows(void *instance, int narg, char **arg) {
  return new LAMMPS_NS::FixAtomRows(checked(instance, "Fix ATOM/ROWS"), narg, arg);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void *lammps, void *handle, void *register_) {
  PluginDescription plugin{};
  // LAMMPS only prints a note when this differs from its own version text; checked() is what refuses.
  plugin.version = static_cast<LAMMPS_NS::LAMMPS *>(lammps)->version;
  plugin.author = "the hea-potential developers";
  plugin.handle = handle;
  const auto add = reinterpret_cast<Register>(register_);

  plugin.style = "pair";
  plugin.name = "hea";
  plugin.info = "pair_style hea (hea-potential)";
  plugin.creator.v1 = &create_pair_hea;
  add(&plugin, lammps);

  plugin.style = "command";
  plugin.name = "minimize/lbfgs";
  plugin.info = "minimize/lbfgs etol ftol maxiter maxeval (hea-potential)";
  plugin.creator.v1 = &create_minimize_lbfgs;
  add(&plugin, lammps);

  plugin.style = "fix";
  plugin.name = "ATOM/ROWS";
  plugin.info = "internal to minimize/lbfgs (hea-potential)";
  plugin.creator.v2 = &create_fix_atom_rows;
  add(&plugin, lammps);
}
