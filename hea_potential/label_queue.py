"""In which order structures are handed out for labelling, and how many of them at once.

A structure whose calculation fails is tried once more, after all others. What was in work when a process died goes
first, each alone; what then kills its process again is given up.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence

from ase import Atoms

from hea_potential.label_one import Outcome, Wish

__all__ = ["Queue", "Work"]

# That a task is likely to take. A manager that labels itself is slow to answer, so cheap labels go several at once; but
# what is in work is lost when the run is killed, and tried one by one when a process dies.
TASK_SECONDS = 0.1
CHEAP_SECONDS = 5.0  # of a structure that the manager labels itself: meanwhile it saves nothing of what others finish

Work = tuple[Atoms, str]  # a structure and its name


class Queue:
    """What is to be labelled, in tasks of one or more structures, so many of which are in work at a time."""

    def __init__(self, works: Sequence[Work], most: int) -> None:
        self.waiting = deque(works)
        self.suspects: deque[Work] = deque()
        self.tried: set[str] = set()
        self.most = most
        self.seconds, self.effort = 0.0, 0.0  # of what has labels

    def __bool__(self) -> bool:
        return bool(self.waiting or self.suspects)

    def tasks(self, running: int) -> Iterator[list[Work]]:
        """What is to be handed out while so many tasks are in work."""
        if self.suspects:
            if running == 0:
                yield [self.suspects.popleft()]
            return
        while self.waiting and running < self.most:
            running += 1
            yield self.task()

    def task_of_manager(self) -> list[Work]:
        """What the process that hands out does itself: a task as the others, if it is known to be cheap."""
        if self.suspects or not self.waiting or self.expected(self.waiting[0]) > CHEAP_SECONDS:
            return []
        return self.task()

    def task(self) -> list[Work]:
        """The next structures that are likely to take TASK_SECONDS together, one at least; fewer towards the end, so
        that all workers end together.
        """
        share = len(self.waiting) // self.most
        task = [self.waiting.popleft()]
        seconds = self.expected(task[0])
        while len(task) < share and (seconds := seconds + self.expected(self.waiting[0])) <= TASK_SECONDS:
            task.append(self.waiting.popleft())
        return task

    def expected(self, work: Work) -> float:
        """Seconds that a structure is likely to take, by those that were labelled before; infinite as long as there are
        none.
        """
        return self.seconds / self.effort * effort(work) if self.effort else math.inf

    def learn(self, work: Work, outcome: Outcome) -> None:
        """Take note of the time that a label took; failures, which may come early, say nothing of it."""
        if outcome.frames:
            self.seconds += outcome.seconds
            self.effort += effort(work)

    def again(self, work: Work) -> bool:
        """Try a structure once more; False if that was done."""
        if work[1] in self.tried:
            return False
        self.tried.add(work[1])
        self.waiting.append(work)
        return True

    def suspect(self, lost: Sequence[Work]) -> bool:
        """Take back what was in work when a process died; False for one that was alone, twice."""
        if len(lost) == 1:
            if lost[0][1] in self.tried:
                return False
            self.tried.add(lost[0][1])
        self.suspects.extend(lost)
        return True


def effort(work: Work) -> float:
    """What the time of a labelling grows with: calculations, each of so many atoms."""
    return (1.0 + Wish.of(*work).relax) * len(work[0])
