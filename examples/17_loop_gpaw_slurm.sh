#!/usr/bin/env bash
#SBATCH --job-name=gpaw-loop
#SBATCH --ntasks=65
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --open-mode=append
# A meta loop with DFT on a cluster: small clusters of copper and gold, from nothing, labelled by GPAW. 64 ranks search and
# label, a structure each at a time; the first manages them and trains. Submitted again, also after a job that ran out of
# time or was killed, it goes on where it was:
#
#     sbatch 17_loop_gpaw_slurm.sh
#
# Without Slurm the same script is a small loop on this machine with EMT, which shows that all but GPAW works.
set -euo pipefail
export OMP_NUM_THREADS=1
if [ -n "${SLURM_NTASKS:-}" ]; then
  reference=gpaw clusters=40 minimisations=300 quota=20
else
  reference=emt clusters=6 minimisations=20 quota=4
fi
cat >loop.toml <<TOML
name = "CuAu"
elements = ["Cu", "Au"]
reference = "$reference"
loops = 2
seed = 1

[compositions]
size = 8
all = true
step = 2

[start]
clusters = $clusters
relax = 6

[search]
minimisations = $minimisations

[select]
quota = $quota

[label]
relax = 2           # steps of a relaxation by DFT, so that the model learns where its minima are wrong

[refresh]
first_epochs = 30
epochs = 10
TOML
mpirun -n "${SLURM_NTASKS:-2}" hea loop loop.toml
