"""Predicting is a matter of few modules and of any kind of a row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures" / "runs"
MUST_NOT = (
    "jax",
    "sklearn",
    "matplotlib",
    "scipy",
    "pandas",
    "keras",
    "jinja2",
    "pydantic",
    "sqlite3",
    "shoal.settings",
    "shoal.search",
)
CODE = """
import sys, shoal
run = shoal.load(sys.argv[1])
run.predict({name: [None] for name in run.predictor.preparation.input_columns})
print(*[name for name in sys.argv[2:] if name in sys.modules])
"""


TABLES = [FIXTURES / number / name for number in ("1", "2") for name in ("classes", "errors")]


@pytest.mark.slow
@pytest.mark.parametrize("folder", TABLES, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_what_only_predicts_loads_nothing_heavy(folder: Path) -> None:
    source = Path(__file__).parents[1] / "src"
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(folder), *MUST_NOT]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(source)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
