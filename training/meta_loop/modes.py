"""What a meta loop does in each step, by its mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hea_training.meta_loop import gofee, lea, steps
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.state import Loop

__all__ = ["STEPS_OF_MODE"]

Do = Callable[[Loop, Step], dict[str, Any]]

STEPS_OF_MODE: Mapping[str, Mapping[str, Do]] = {
    "plain": steps.STEPS,
    "gofee": {**steps.STEPS, **gofee.STEPS},
    "lea": {**steps.STEPS, **lea.STEPS},
}
