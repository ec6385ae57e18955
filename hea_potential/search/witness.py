"""What a process that dies in a task leaves behind, so that a search does not die of the same task again and again.

A segmentation fault in LAMMPS or in a move of the user's own kills its process, and MPI all others with it. Tasks are
reproducible: the same command would come to the same end. So each process notes in the run's folder which task it is
in, and faulthandler adds to the note how it died. Who continues the run reads the notes and counts such tasks as
`crashed`. A process that is killed from outside leaves no more than the task's number, and the task is done again.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path

PREFIX = ".task-"
NOTHING = b" " * 11 + b"\n"
LINE = b"%11d\n"  # a note's first, the task's number
IN_USE = faulthandler.is_enabled()  # by Python's own option or a test runner, which then has the last word
LONGEST = 3600.0  # seconds: a task that takes longer hangs
SLACK = 0.01  # of that, by which it may be longer: to set the alarm anew for each of many short tasks would take time


@dataclass(frozen=True)
class Witness:
    """The notes of a run in its folder. A process that is in a task for longer than `longest` seconds is ended, by
    SIGALRM, as one that crashed.
    """

    folder: Path
    longest: float = LONGEST
    # Tells calls apart that go on with one run: a worker that outlives a call makes a new note, for the old is gone.
    begun: float = field(default_factory=time.time)

    @contextmanager
    def watching(self) -> Iterator[Callable[[int, float], None]]:
        """Notes that this process is in a task, by a function of its number and of the time (`time.perf_counter`),
        until it is in the next one or the context ends.
        """
        note = note_of(self)
        if note is None:
            yield unnoted
            return
        try:
            yield note.begin
        finally:
            note.rest()

    def crashed(self) -> dict[int, str]:
        """How tasks ended that crashed or hung a process, by number; takes the notes away."""
        tasks = {}
        for path in self.folder.glob(f"{PREFIX}*"):
            number, _, dump = path.read_text(errors="replace").partition("\n")
            if number.strip().isdigit() and dump:
                tasks[int(number)] = cause(dump)
            path.unlink(missing_ok=True)
        return tasks

    def leave(self) -> None:
        """Take the notes away, and leave faulthandler and SIGALRM of this process as they were; the note of a search in
        another thread stays.
        """
        note = notes.pop(self, None)
        if note is not None:
            note.close()
        self.crashed()


def unnoted(task: int, now: float) -> None:
    """What is noted of a task where there is no note."""


class Note:
    """The note of this process, with faulthandler set to write to it and to end a process that is in a task for longer
    than `longest` seconds, or hardly more; raises OSError where that cannot be.

    The file is mapped into memory: what is written there outlives the process, and takes no call of the system.
    """

    def __init__(self, path: Path, longest: float) -> None:
        self.longest = longest
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            self.line = mmap(self.file, os.write(self.file, NOTHING))
        except OSError:
            os.close(self.file)
            raise
        self.set_until = 0.0  # when the alarm is to be set anew
        faulthandler.enable(self.file, all_threads=False)
        faulthandler.register(signal.SIGALRM, self.file, all_threads=False, chain=True)

    def begin(self, task: int, now: float) -> None:
        """Write down the task, which begins now, and set the alarm for it."""
        self.line[:] = LINE % task
        if now >= self.set_until:
            signal.setitimer(signal.ITIMER_REAL, (1.0 + SLACK) * self.longest)
            self.set_until = now + SLACK * self.longest

    def rest(self) -> None:
        """Stop the clock."""
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        self.set_until = 0.0

    @property
    def is_in_task(self) -> bool:
        """Whether a task has begun, and its process does not rest."""
        return self.set_until > 0.0

    def close(self) -> None:
        """Let go of the file, and leave faulthandler and SIGALRM as they were."""
        faulthandler.unregister(signal.SIGALRM)
        faulthandler.disable()
        self.line.close()
        os.close(self.file)


notes: dict[Witness, Note | None] = {}  # of this process, one at most


def note_of(witness: Witness) -> Note | None:
    """The note of this process; None where there can be none, because faulthandler is somebody else's, the folder is
    not there on this computer, or a task that another witness sees is a search itself.
    """
    if witness not in notes:
        if any(note is not None and note.is_in_task for note in notes.values()):
            return None
        put_away()
        notes[witness] = None
        with suppress(OSError):
            if not IN_USE:
                notes[witness] = Note(witness.folder / f"{PREFIX}{socket.gethostname()}-{os.getpid()}", witness.longest)
    return notes[witness]


def put_away() -> None:
    """Close the note of this process: a worker has one folder after the other, and only so many open files."""
    while notes:
        _, note = notes.popitem()
        if note is not None:
            note.close()


def cause(dump: str) -> str:
    """What faulthandler wrote, in one line: the signal, and the innermost lines of Python."""
    fatal = re.search(r"Fatal Python error: (.*)", dump)
    places = [f"{Path(file).name}:{line}" for file, line in re.findall(r'File "(.*)", line (\d+)', dump)[:3]]
    what = f"killed its process: {fatal[1]}" if fatal else "was ended because it took too long"
    return f"{what}, in {' < '.join(places)}" if places else what


@contextmanager
def epitaph(message: str) -> Iterator[None]:
    """Have a message printed on standard error if this process is killed, as mpirun does when another rank dies.

    Nothing of the killed process itself can do that: a shell waits at the other end of a pipe for the word that all
    is well.
    """
    command = ["/bin/sh", "-c", 'read word || echo "$0" >&2', message]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as shell:
        try:
            yield
        finally:
            shell.communicate(b"well\n")
