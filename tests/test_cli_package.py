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


def ended(code: str) -> subprocess.CompletedProcess[str]:
    """Return how a fresh Python ended that ran some code."""
    environment = {**os.environ, "PYTHONPATH": str(Path(shoal.__file__).parents[1]), "PYTHONUNBUFFERED": ""}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def test_leaving_loses_nothing() -> None:
    done = ended(
        "import atexit, threading, time, sys\n"
        "from shoal.cli import leave\n"
        "atexit.register(lambda: print('at exit'))\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\n"
        "sys.stdout.write('first\\n'); sys.stderr.write('note')\n"
        "leave(3)"
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "first\nthread\nat exit\n", "note")


def test_leaving_says_that_output_was_lost() -> None:
    done = ended("import os, sys\nfrom shoal.cli import leave\nprint('x', end='')\nos.close(1)\nleave(0)")
    assert done.returncode == 1


@pytest.mark.slow
def test_the_program_ends_with_the_code_of_the_command() -> None:
    done = ended("import sys\nfrom shoal.cli import run\nsys.argv = ['shoal', 'predict']\nrun()")
    assert done.returncode == 2
    assert done.stderr


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
