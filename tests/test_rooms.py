"""Imports go one way, jax stays in its room, and what must start fast imports nothing heavy."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "shoal"
# A room may import rooms of lower floors and itself; rooms of one floor do not know each other.
FLOORS = (
    {"codec"},
    {"errors", "results", "streams", "row_view", "helper_process"},
    {"statistics"},
    {"data", "networks"},
    {"training"},
    {"search"},
    {"settings"},
    {"repeating"},
    {"prediction"},
    {"evaluation"},
    {"runs"},
    {"report"},
    {"run", "steps"},
    {"fit", "after"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# The package itself and `python -m shoal` stand above all floors.
ENTRANCES = {"__init__", "__main__"}
HEAVY = {"numpy", "scipy", "jax", "polars", "sklearn", "pandas", "pyarrow", "matplotlib", "pydantic", "keras"}
FILES = sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Give each imported module by its full name, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            module = node.module or ""
            names = [alias.name for alias in node.names] if module == "shoal" else [""]
            yield from ((f"{module}.{name}".rstrip("."), node.lineno) for name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(path)
    if room in ENTRANCES:
        return
    wrong = []
    for module, line in imports_of(path):
        parts = module.split(".")
        if parts[0] != "shoal" or module == "shoal.__version__":
            continue
        other = parts[1]
        assert other in FLOOR, f"line {line}: there is no room {other}"
        if other != room and FLOOR[other] >= FLOOR[room]:
            wrong.append(f"line {line}: {room} imports {other}")
    assert not wrong


def test_every_room_has_its_floor() -> None:
    assert {room_of(path) for path in FILES} - ENTRANCES == set(FLOOR)


def importers(*libraries: str) -> set[str]:
    """Return the files that import one of some libraries, anywhere in them."""
    return {
        path.relative_to(SOURCE).as_posix()
        for path in FILES
        if any(module.split(".")[0] in libraries for module, _ in imports_of(path))
    }


def test_only_the_xla_engine_imports_jax() -> None:
    assert all(path.startswith("training/engines/xla/") for path in importers("jax", "jaxlib"))


def test_nothing_is_pickled() -> None:
    assert importers("pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve") == set()


def test_no_second_framework_in_the_core() -> None:
    assert importers("keras", "tensorflow", "torch", "flax", "equinox") == set()


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh Python has loaded after some code."""
    code += "\nimport sys; print(); print(' '.join({name.split('.')[0] for name in sys.modules}))"
    path = os.pathsep.join([str(SOURCE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    ["import shoal", "import shoal.cli", "from shoal.cli import main\nassert main(['--help']) == 0"],
    ids=["shoal", "shoal.cli", "shoal --help"],
)
def test_the_entrances_import_nothing_heavy(code: str) -> None:
    loaded = loaded_by(code)
    assert "shoal" in loaded
    assert loaded & HEAVY == set()


def test_no_other_room_loads_jax_when_it_is_imported() -> None:
    modules = []
    for path in FILES:
        name = ".".join(("shoal", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        if ".engines.xla" not in name and not name.endswith("__main__"):
            modules.append(name)
    loaded = loaded_by(f"import importlib\nfor name in {modules!r}: importlib.import_module(name)")
    assert "numpy" in loaded
    assert "jax" not in loaded
