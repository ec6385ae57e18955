"""The direction of imports (ARCHITECTURE.md, section 1), and that importing the package is light."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# From the bottom up: a room may import itself and what lies below it. Rooms of one layer do not know each other.
LAYERS = (
    {"errors", "console"},
    {"complete_file", "ledger_line", "locked_file", "loop_files", "split", "frame", "strict_json", "torch_library"},
    {"safetensors_file"},
    {"model_format"},
    {"engine", "clusters", "model_file", "neighbours", "lammps", "lammps_instance", "pair_file"},
    {"calculator"},
    {"reference", "dataset", "described"},
    {"label_one", "given_labels"},
    {"label_queue"},
    {"label_workers"},
    {"labels"},
    {"search"},
    {"report"},
    {"training"},
    {"cli"},
)
HEAVY = {"torch", "lammps", "mpi4py", "schnetpack", "sevenn", "chgnet", "gpaw"}


def sources() -> list[Path]:
    return sorted([*ROOT.glob("hea_potential/**/*.py"), *ROOT.glob("training/**/*.py")])


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = ("hea_training", *parts[1:]) if parts[0] == "training" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """Return the room of a module; "" for the package itself and for other people's packages."""
    first, *rest = module.split(".")
    if first == "hea_training":
        return "training"
    if first != "hea_potential" or not rest:
        return ""
    return "calculator" if rest[0] == "HEACalculator" else rest[0]


def layer(module: str) -> int | None:
    """Return the layer of a module's room; None for the package itself and for other people's packages."""
    return next((number for number, rooms in enumerate(LAYERS) if room(module) in rooms), None)


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 1:  # from the room itself
                continue
            assert node.level == 0, "imports from other rooms are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module is imported: not bodies of functions, nor what is for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from at_import(node)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_imports_a_higher_one(path: Path) -> None:
    own = layer(module_name(path))
    if own is None:
        assert module_name(path) == "hea_potential", f"{path} is in a room that LAYERS does not know"
        return
    for name in imported(ast.walk(ast.parse(path.read_text()))):
        other = layer(name)
        same_room = room(name) == room(module_name(path))
        assert other is None or other < own or same_room, f"{module_name(path)} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_package_imports_nothing_heavy_at_module_level(path: Path) -> None:
    if not module_name(path).startswith("hea_potential"):
        return
    heavy = {name.split(".")[0] for name in imported(at_import(ast.parse(path.read_text())))} & HEAVY
    assert not heavy, f"{module_name(path)} imports {heavy} when it is imported"


@pytest.mark.parametrize(
    "module",
    ["hea_potential", "hea_potential.calculator", "hea_potential.cli", "hea_potential.search", "hea_potential.lammps"],
)
def test_importing_loads_none_of_the_heavy_packages(module: str) -> None:
    code = f"import sys, {module}; print(sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_help_of_every_command_loads_none_of_the_heavy_packages() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom hea_potential.cli import COMMANDS, app\n"
        "for name in COMMANDS: assert CliRunner().invoke(app, [name, '--help']).exit_code == 0, name\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_the_package_offers_the_calculator() -> None:
    code = "import hea_potential; print('HEACalculator' in dir(hea_potential), hea_potential.HEACalculator.__name__)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == ["True", "HEACalculator"]


@pytest.mark.parametrize("package", ["hea_potential", "hea_training"])
def test_type_checkers_are_told_that_the_package_is_typed(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__file__ is not None
    assert Path(module.__file__).with_name("py.typed").is_file()
