"""The quick tests, `pytest -m "not slow"`, enter every room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "shoal"
ENTRANCES = {"__init__", "__main__"}
ROOMS = sorted({path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))} - ENTRANCES)
FOLDERS = sorted({path.parent for path in TESTS.rglob("test_*.py")})


def is_slow(test: ast.FunctionDef) -> bool:
    return any("pytest.mark.slow" in ast.unparse(decorator) for decorator in test.decorator_list)


def quick_code(path: Path) -> Iterator[ast.stmt]:
    """Give what a file of tests holds but for its slow tests; of a file of slow tests nothing."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    quick = [node for node in body if not (isinstance(node, ast.FunctionDef) and is_slow(node))]
    if any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in quick):
        yield from quick


@cache
def rooms_entered() -> set[str]:
    """Return the rooms with an example, and those from which files with quick tests import, outside of slow ones."""
    examples = [path for path in SOURCE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
    nodes = [node for path in TESTS.rglob("test_*.py") for part in quick_code(path) for node in ast.walk(part)]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names = [f"{node.module}.{alias.name}".split(".") for node in imports for alias in node.names]
    return {name[1] for name in names if name[0] == "shoal"} | {
        path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in examples
    }


@pytest.mark.parametrize("room", ROOMS)
def test_quick_tests_enter_every_room(room: str) -> None:
    assert room in rooms_entered()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(TESTS)))
def test_every_folder_has_a_quick_test(folder: Path) -> None:
    assert any(any(quick_code(path)) for path in folder.glob("test_*.py"))
