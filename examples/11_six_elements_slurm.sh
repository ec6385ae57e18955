#!/usr/bin/env bash
#SBATCH --job-name=six-elements
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --time=02:00:00
#SBATCH --open-mode=append
# Two hours of a six-element search on a cluster; a rank needs one core and some 300 MB:
#
#     sbatch 11_six_elements_slurm.sh 110min
#
# Submitted again, also after a job that ran out of time or was killed, it goes on where it was. Without Slurm the same
# script is a small search on this machine. mpirun is that of the same environment as hea: it starts its ranks on the
# nodes of the job by itself.
set -euo pipefail
if [ $# -gt 0 ]; then limit=(--time "$1"); else limit=(--budget 60); fi
export OMP_NUM_THREADS=1
mpirun -n "${SLURM_NTASKS:-2}" hea search Ni7Cu7Pd6Ag6Pt6Au6 "${limit[@]}" --seed 1 --out runs/six
