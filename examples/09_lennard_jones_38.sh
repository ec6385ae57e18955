#!/usr/bin/env bash
# Any LAMMPS pair style can be searched: here 38 Lennard-Jones atoms, whose lowest minimum is a truncated octahedron of fcc that
# lies apart from the many icosahedral ones a little above it. The search ends when it has found the published energy.
set -euo pipefail
cat >lennard_jones.lmp <<'END'
units lj
pair_style lj/cut 30.0
pair_coeff * * 1.0 1.0
END
hea search Ar38 --pair lennard_jones.lmp --target -173.928427 --budget 20000 --seed 1 --out runs/lj38

# What it costs to find a known energy is measured by repeats from random starts, here for 13 atoms by basin hopping.
hea bench search Ar13 --pair lennard_jones.lmp --target -44.326801 --method bh --repeats 10
