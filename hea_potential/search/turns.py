"""Whose turn it is: when tasks are proposed, and in which order their results are absorbed, whichever came first.

The result of a task is due at its number, and that of a slow one (`Move.lag`) some windows later. Results are absorbed
in the order in which they are due, and task k is proposed as soon as all are absorbed that are due up to k - window: so
without slow ones at most `window` tasks are under way, and those come on top. If slow results were due like others, all
ranks would soon wait for one of them: of 64 ranks with tasks of 25 times the mean among theirs two thirds.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heapify, heappop, heappush

from hea_potential.search.moves import Move
from hea_potential.search.tasks import Task


class Turns:
    """The tasks that were proposed and whose results are not absorbed, `open` by number; and the `number` of the next
    one to be proposed.
    """

    def __init__(self, moves: Mapping[str, Move], window: int) -> None:
        self.window = window
        self.lags = {name: window * move.lag for name, move in moves.items() if move.lag}
        self.number = 0
        self.open: dict[int, Task] = {}
        self.due: list[tuple[int, int]] = []  # a heap: when results are due, with the numbers of their tasks

    @property
    def may_propose(self) -> bool:
        """Whether the next task may be proposed."""
        return not self.due or self.due[0][0] > self.number - self.window

    def enter(self, task: Task) -> Task:
        """Take the task that was proposed, and return it."""
        number = self.number
        self.number = number + 1
        self.open[number] = task
        heappush(self.due, (number + self.lags.get(task.operator, 0), number))
        return task

    @property
    def next(self) -> int | None:
        """The task whose result is to be absorbed next; None if no task is open."""
        return self.due[0][1] if self.due else None

    def end(self) -> int:
        """Take out the task whose turn it is, and return its number."""
        _, number = heappop(self.due)
        del self.open[number]
        return number

    def end_early(self, number: int) -> None:
        """Take out a slow task whose turn has not come."""
        self.due = [pair for pair in self.due if pair[1] != number]
        heapify(self.due)
        del self.open[number]

    def slow(self) -> list[int]:
        """The slow tasks that are open, in the order in which they are due: the only ones that may end early, where a
        run ends before their turn has come.
        """
        return [number for _, number in sorted(self.due) if self.open[number].operator in self.lags]
