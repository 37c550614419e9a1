"""Writing models for other programs: the command, what is refused, and names that no language minds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.cli import main
from shoal.errors import ExportError, RunError
from shoal.export.example_rows import ExampleRows
from shoal.export.exporter import Agreement
from shoal.export.source.identifiers import identifier, identifiers, remark

needs_compiler = pytest.mark.skipif(
    not (shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")), reason="there is no C compiler"
)
QUICK: dict[str, Any] = {"networks": 1, "hidden": (3,), "epochs": 2, "batch_size": 32, "page": False}


@needs_compiler
@pytest.mark.slow
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out, table = str(tmp_path / "run"), str(tmp_path / "my model.c"), tmp_path / "table.csv"
    rows = np.random.default_rng(0).normal(size=(60, 2))
    pl.DataFrame({"*/ int": rows[:, 0], "y": rows.sum(axis=1)}).write_csv(table)
    shoal.fit(str(table), target="y", out=run, **QUICK)
    assert main(["export", run, out]) == 0
    assert "it agrees with shoal: 12 test rows: largest difference" in capsys.readouterr().out
    assert main(["export", run, out]) == 2
    assert "exists. Choose another, or replace it with --force" in capsys.readouterr().err
    assert main(["export", run, out, "--force", "--json"]) == 0
    assert main(["export", run, str(tmp_path / "m.onx")]) == 2
    assert "models are written as .c" in capsys.readouterr().err
    source = Path(out).read_text()
    assert "malloc" not in source
    assert "*/ int" not in source
    table.unlink()
    written = shoal.export_model(run, tmp_path / "alone.c")
    assert str(written.agreement) == "It has no rows to check itself."
    assert "cannot be read again" in written.notes[0]


def test_what_cannot_be_exported_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run folder"):
        shoal.export_model(tmp_path / "none", tmp_path / "m.c")
    assert issubclass(ExportError, ValueError)


def test_steps_behind_the_end_of_a_series_do_not_count() -> None:
    inputs = np.zeros((2, 3, 1))
    inputs[1, 2] = np.nan
    mean, score = np.arange(6.0).reshape(2, 3, 1), np.ones(2)
    rows = ExampleRows({}, inputs, inputs, {"mean": mean, "score": score}, "test")
    said = mean.copy()
    said[1, 2] = 100.0
    assert Agreement.between({"mean": said, "score": score}, rows, "by hand").largest == 0.0
    said[1, 1] += 1.0
    assert Agreement.between({"mean": said, "score": score}, rows, "by hand").largest == 0.2
    said[0, 0] = np.nan
    assert not Agreement.between({"mean": said, "score": score}, rows, "by hand").holds


@pytest.mark.parametrize("text", ["*/", "/*", "??/", "a\nb", "for", "1x", "", "é", "a b", "x" * 200, '"', "\\"])
def test_names_are_harmless(text: str) -> None:
    assert f"prefix_{identifier(text)}".isidentifier()
    assert identifier(text).isascii()
    shown = remark(text)
    assert "*/" not in shown
    assert "\n" not in shown
    assert "\\" not in shown
    assert len(set(identifiers([text, text, "x"]))) == 3


@needs_compiler
def test_rows_are_named_as_what_they_are(tmp_path: Path) -> None:
    run = shoal.fit("iris", seal_test=True, out=str(tmp_path / "sealed"), **QUICK)
    written = shoal.export_model(run, tmp_path / "iris.c")
    assert "validation rows: largest difference" in str(written.agreement)
    assert "test rows" not in (tmp_path / "iris.c").read_text()
    kept = json.loads((tmp_path / "sealed" / "exports" / "iris.c.json").read_text())
    assert kept["agreement"] == written.agreement.to_dict()
