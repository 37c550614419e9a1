from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import shoal
from shoal.cli.output import plain


def test_importing_shoal_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, shoal; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(shoal.__file__).parents[1])},
    )
    assert result.returncode == 0, result.stderr
    heavy = {
        "jax",
        "numpy",
        "scipy",
        "sklearn",
        "polars",
        "pandas",
        "matplotlib",
        "pydantic",
        "typer",
        "rich",
    }
    assert not heavy & set(result.stdout.split())


def test_a_wrong_name_suggests_the_right_one() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'Network'"):
        _ = shoal.Netwrok


def test_dir_lists_the_public_names() -> None:
    assert set(shoal.__all__) <= set(dir(shoal))


def test_a_public_name_wins_over_the_file_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing `shoal/fit.py` makes the import system set `shoal.fit` to the module."""
    module = ModuleType("shoal.fit")
    module.fit = lambda: "the function"
    monkeypatch.setattr(shoal, "fit", None, raising=False)
    shoal.fit = module
    assert shoal.fit() == "the function"


def test_other_modules_are_stored_as_they_are() -> None:
    errors = importlib.import_module("shoal.errors")
    assert shoal.errors is errors


def test_plain_makes_data_for_json() -> None:
    import numpy as np

    value = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": (float("inf"), True),
        3: {np.int64(4)},
        "p": Path("x"),
    }
    assert plain(value) == {"a": 0.5, "b": [0, 1], "c": [None, True], "3": [4], "p": "x"}
