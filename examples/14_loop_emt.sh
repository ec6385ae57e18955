#!/usr/bin/env bash
# A potential that improves itself while it explores: search, select, label, train, again, in about a minute on two cores.
# Killed at any instant, the same command goes on. What it found and how good it became is in runs/small/report.html.
set -euo pipefail
configuration="$(dirname "${BASH_SOURCE[0]}")/14_loop_emt.toml"
hea loop "$configuration" --dry-run
mpirun -n 2 hea loop "$configuration"
