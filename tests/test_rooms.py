"""Imports go one way, jax stays in its room, and what must start fast imports nothing heavy."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "shoal"
# A room may import rooms of lower floors and itself; rooms of one floor do not know each other.
FLOORS = (
    {"codec"},
    {"errors", "late", "results", "short_repr", "streams", "row_view", "helper_process"},
    {"user_function"},
    {"resources"},
    {"notebook"},
    {"statistics"},
    {"data", "networks"},
    {"training", "keras"},
    {"search"},
    {"setting_names"},
    {"settings"},
    {"repeating"},
    {"prediction"},
    {"evaluation"},
    {"runs"},
    {"report", "export", "tracking"},
    {"cluster"},
    {"run", "steps", "trained"},
    {"fit", "after", "estimators", "evolution"},
    {"workbench"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# The same within a room, for its sub-rooms and modules; those that are not named may stand anywhere.
SUB_FLOORS = {
    "data": ({"readers", "builtin"}, {"dataset"}, {"split"}, {"describe", "loading"}),
    "networks": ({"activations", "initializers"}, {"layers"}, {"network"}, {"summary", "parsing"}, {"drawing"}),
    "training": (
        {"losses", "member"},
        {"problem", "structure"},
        {"cost"},
        {"grouping"},
        {"engines.native", "engines.xla"},
        {"engine_choice", "trainer"},
    ),
    "search": ({"space", "results"}, {"spaces", "strategies"}),
    "prediction": ({"calibration", "conformal", "ensemble"}, {"predictor"}, {"autoencoder", "error_bars"}),
    "evaluation": (
        {"baselines", "systematics", "explanation", "formula"},
        {"record"},
        {"fitted"},
        {"evaluation"},
        {"topics"},
        {"evaluate"},
    ),
    "keras": (
        {"archive", "settings"},
        {"graph", "model_graph"},
        {"layers"},
        {"reading", "writing"},
    ),
    "trained": ({"rows"}, {"scores"}, {"trained_network"}, {"fitting"}),
    "runs": ({"documents", "writing"}, {"config_file", "log", "metrics_file", "model_file"}, {"folder"}, {"listing"}),
    "report": ({"words"}, {"blocks", "figures"}, {"explanation"}, {"topics"}, {"page"}),
}
# Imports that go upward all the same, inside functions or for type hints, and why.
FACADE = "convenience methods of a network hand over to the functions that do the work"
UPWARD = {
    ("networks.network", "networks.summary"): FACADE,
    ("networks.network", "networks.drawing"): FACADE,
    ("networks.network", "networks.merging"): FACADE,
    ("networks.network", "networks.parsing"): FACADE,
    ("networks.network", "networks.unrolled"): FACADE,
    ("networks.network", "keras.reading"): FACADE,
    ("networks.network", "trained.fitting"): FACADE,
    ("networks.network", "trained.keras_files"): FACADE,
    ("networks.network", "trained.trained_network"): FACADE,
}
# The package itself and `python -m shoal` stand above all floors.
ENTRANCES = {"__init__", "__main__"}
HEAVY = {"numpy", "scipy", "jax", "polars", "sklearn", "pandas", "pyarrow", "matplotlib", "pydantic", "keras"}
FILES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


PATHS = {name_of(path): path for path in FILES}


def room_of(name: str) -> str:
    return name.split(".")[0]


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Give each imported module by its full name, with its line; also those for type hints and in functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for name in [f"{node.module}.{alias.name}" for alias in node.names]:
                module = node.module == "shoal" or name.removeprefix("shoal.") in PATHS
                yield (name if module else str(node.module)), node.lineno


IMPORTS = {name: list(imports_of(path)) for name, path in PATHS.items()}
# Which modules of ours a module imports.
KNOWS = {
    name: {m.removeprefix("shoal.") for m, _ in imports if m.startswith("shoal.") and m != "shoal.__version__"} - {name}
    for name, imports in IMPORTS.items()
    if room_of(name) not in ENTRANCES
}


@pytest.mark.parametrize("name", KNOWS)
def test_imports_go_one_way(name: str) -> None:
    room, wrong = room_of(name), []
    for module in KNOWS[name]:
        other = room_of(module)
        assert other in FLOOR, f"there is no room {other}"
        if other != room and FLOOR[other] >= FLOOR[room] and (name, module) not in UPWARD:
            wrong.append(f"{name} imports {module}")
    assert not wrong


@pytest.mark.parametrize("room", SUB_FLOORS)
def test_imports_within_a_room_go_one_way(room: str) -> None:
    floor = {f"{room}.{name}": number for number, names in enumerate(SUB_FLOORS[room]) for name in names}
    assert floor.keys() <= PATHS.keys()
    within = {module: part for module in KNOWS for part in floor if f"{module}.".startswith(f"{part}.")}
    wrong = [
        f"{name} imports {other}"
        for name, part in within.items()
        for other in KNOWS[name] & within.keys()
        if within[other] != part and floor[within[other]] >= floor[part] and (name, other) not in UPWARD
    ]
    assert not wrong


def test_no_imports_go_in_a_circle() -> None:
    graph = {name: {other for other in KNOWS[name] if (name, other) not in UPWARD} for name in KNOWS}
    TopologicalSorter(graph).prepare()  # raises a CycleError that names the circle


def test_each_import_that_goes_upward_is_still_made() -> None:
    assert [pair for pair in UPWARD if pair[1] not in KNOWS.get(pair[0], ())] == []


def test_every_room_has_its_floor() -> None:
    assert {room_of(name) for name in KNOWS} == set(FLOOR)


def importers(*libraries: str) -> set[str]:
    """Return the files that import one of some libraries, anywhere in them."""
    return {
        PATHS[name].relative_to(SOURCE).as_posix()
        for name, imports in IMPORTS.items()
        if any(module.split(".")[0] in libraries for module, _ in imports)
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
    modules = [f"shoal.{name}" for name in KNOWS if ".engines.xla" not in name]
    loaded = loaded_by(f"import importlib\nfor name in {modules!r}: importlib.import_module(name)")
    assert "numpy" in loaded
    assert "jax" not in loaded
