"""The meta loop: search, select, label, train, again.

    from hea_training.meta_loop import read_config, run_loop
    run_loop(read_config(Path("loop.toml")), Path("runs/loop"))

The rooms, in the order in which they build on each other: `refresh_settings`, `mode_settings`, `selection`; `config`,
`plan` (what will be done), `impossible` and `config_file` (checked whole); `start_data` and `costs` (how long it
takes); `ledger` (what is done) with `outputs`; `state`; `start`, `candidates`, `chosen`, `label_into`, `refreshed`,
`beginning`; `refresh` with `acceptance` and `calibration`; `steps`; `gofee` and `lea` with what they stand on; `modes`;
`run` (all of them in order); `words` (what a person reads of a step). Nothing but training loads torch.
"""

from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.config_file import read_config
from hea_training.meta_loop.run import loop_ranks, run_loop

__all__ = ["LoopConfig", "loop_ranks", "read_config", "run_loop"]
