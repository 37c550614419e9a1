"""Modules of the data room know each other openly: none is imported for a type hint only, which would hide a circle."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import shoal.data

ROOM = Path(str(shoal.data.__file__)).parent


# What only reading a file or a fit needs is loaded when it is asked for, so that predicting starts fast.
LATE = {"__init__.py", "raw.py", "readers/__init__.py"}
PATHS = sorted(path for path in ROOM.rglob("*.py") if path.relative_to(ROOM).as_posix() not in LATE)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOM)))
def test_no_module_is_imported_for_a_type_hint_or_inside_a_function(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.FunctionDef)]
    imported = [inner.module or "" for node in hidden for inner in ast.walk(node) if isinstance(inner, ast.ImportFrom)]
    assert [name for name in imported if name.startswith("shoal")] == []
