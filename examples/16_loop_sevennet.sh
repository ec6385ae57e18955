#!/usr/bin/env bash
# A meta loop with a reference near DFT. Without an argument the plan and its costs; with `run` the loop itself, about
# twenty minutes, which can be stopped and continued:
#
#     bash 16_loop_sevennet.sh run
set -euo pipefail
configuration="$(dirname "${BASH_SOURCE[0]}")/16_loop_sevennet.toml"
if [ "${1:-}" = run ]; then
  mpirun -n 2 hea loop "$configuration"
else
  hea loop "$configuration" --dry-run
fi
