// Registers pair_style hea with the LAMMPS that loads this library, and refuses every LAMMPS but the one it was built
// for.
#include <cstdlib>

#include "comm.h"
#include "error.h"
#include "lammps.h"
#include "library.h"
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
void *create_pair_hea(void *instance) {
  auto *lmp = static_cast<LAMMPS_NS::LAMMPS *>(instance);
  const int running = lammps_version(instance);
  const int built = version_built_for();
  if (running != built)
    lmp->error->all(FLERR,
                    "Pair style hea was built for LAMMPS version {} but runs in version {}: install hea-potential "
                    "again beside this LAMMPS",
                    built, running);
  return new LAMMPS_NS::PairHEA(lmp);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void *lammps, void *handle, void *register_) {
  PluginDescription plugin{};
  // LAMMPS only prints a note when this differs from its own version text; create_pair_hea() is what refuses.
  plugin.version = static_cast<LAMMPS_NS::LAMMPS *>(lammps)->version;
  plugin.style = "pair";
  plugin.name = "hea";
  plugin.info = "pair_style hea (hea-potential)";
  plugin.author = "the hea-potential developers";
  plugin.creator.v1 = &create_pair_hea;
  plugin.handle = handle;
  reinterpret_cast<Register>(register_)(&plugin, lammps);
}
