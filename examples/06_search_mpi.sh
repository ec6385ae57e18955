#!/usr/bin/env bash
# The structure and ordering of a six-element cluster: a genetic algorithm on two ranks with the shipped model. A long search is
# the same with a larger budget; stopped or killed, the same command goes on. Results are in runs/six.
set -euo pipefail
mpirun -n 2 hea search Ni3Cu3Pd2Ag2Pt2Au1 --budget 80 --seed 1 --out runs/six

# Every minimum is a row of an ASE database.
ase db runs/six/minima.db --sort energy --limit 5 --columns id,energy,motif,point_group,operator,parents
