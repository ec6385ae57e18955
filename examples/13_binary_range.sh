#!/usr/bin/env bash
# Which ratio of two metals is stable? From pure nickel to pure palladium in one call; each composition has its budget and its
# folder in runs/NiPd_13, and hull.png shows their excess energies with the convex hull.
set -euo pipefail
hea search --size 13 --elements Ni,Pd --all-ratios --ratio-step 3 --budget 60 --seed 1

cat runs/NiPd_13/compositions.csv
