"""The meta loop: search, select, label, train, again.

    from hea_training.meta_loop import read_config, run_loop
    run_loop(read_config(Path("loop.toml")), Path("runs/loop"))

The rooms, in the order in which they build on each other: `refresh_settings`, `selection`; `config` (the file, checked
whole); `plan`, `costs` (what will be done, and how long it takes); `ledger` (what is done); `state`; `start`,
`candidates`, `refresh`; `steps`; `run` (all of them in order). Nothing but `refresh` loads torch.
"""

from hea_training.meta_loop.config import LoopConfig, read_config
from hea_training.meta_loop.run import run_loop

__all__ = ["LoopConfig", "read_config", "run_loop"]
