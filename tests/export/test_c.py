"""Models as C: compiled by every compiler that is here, they say what shoal says of the test rows."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.cli import main
from shoal.errors import ExportError, RunError
from shoal.export.source.identifiers import identifier, identifiers, remark

ROWS = 160
SMALL: dict[str, Any] = {"networks": 3, "keep": 2, "epochs": 6, "batch_size": 32, "page": False, "learning_rate": 0.01}
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
needs_compiler = pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")


def mixed() -> pl.DataFrame:
    """Return numbers with gaps, categories with names that C does not like, truths, errors, classes and numbers."""
    draw = np.random.default_rng(0)
    x, gaps = draw.normal(size=ROWS), draw.random(ROWS) < 0.2
    kind = draw.choice(["*/ int", "a\\b", 'q"', "é"], ROWS)
    error = draw.uniform(0.1, 0.3, ROWS)
    y = 2.0 * x + (kind == "é") + draw.normal(size=ROWS) * error
    taken = {"WORK": x, "INPUTS": x + 0.1, "kind_IS_a": draw.normal(size=ROWS), "MAIN": x**3}
    columns = {**taken, "x": x, "for": np.where(gaps, np.nan, x**2), "kind": kind, "on": draw.random(ROWS) < 0.5}
    table = pl.DataFrame({**columns, "e": error, "y": y, "label": np.where(y > 0.5, "up", "down")})
    rare = pl.int_range(pl.len()) % 40 == 7
    kind = pl.when(pl.Series(gaps)).then(None).when(rare).then(pl.format("rare {}", pl.int_range(pl.len())))
    return table.with_columns(pl.col("for").fill_nan(None), kind.otherwise(pl.col("kind")).alias("kind"))


CASES: dict[str, dict[str, Any]] = {
    "classes": {"target": "label", "ignore": ("e", "y")},
    "numbers with errors and replicas": {"target": "y", "y_err": "e", "ignore": "label", "replicas": 3},
    "folds": {"target": "y", "ignore": ("e", "label"), "cv": 3},
    "folds of classes": {"target": "label", "ignore": ("e", "y"), "cv": 3},
    "gaussian": {"target": "y", "ignore": ("e", "label"), "loss": "gaussian_nll"},
    "quantiles": {"target": "y", "ignore": ("e", "label"), "loss": "pinball", "normalization": "quantile"},
    "robust": {"target": "y", "ignore": ("e", "label"), "normalization": "robust"},
    "reconstruction": {"reconstruct": True, "ignore": ("e", "label")},
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("export") / "mixed.parquet"
    mixed().write_parquet(path)
    return str(path)


def agrees(run: shoal.Run, folder: Path) -> None:
    """Export a run, and compile and run what was written."""
    written = shoal.export_model(run, folder / "INDEX.c")
    assert written.agreement.holds, str(written.agreement)
    assert [file.name for file in written.files] == ["INDEX.c", "INDEX.h"]
    watched = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    for compiler, more in [*((compiler, []) for compiler in COMPILERS), (COMPILERS[0], watched)]:
        command = [compiler, *STRICT, *more, "-DINDEX_MAIN", "INDEX.c", "-o", compiler, "-lm"]
        built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        ran = subprocess.run([f"./{compiler}"], cwd=folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_tables(table: str, case: str, tmp_path: Path) -> None:
    agrees(shoal.fit(table, out=str(tmp_path / "run"), hidden=(6, 5), **{**SMALL, **CASES[case]}), tmp_path)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "series"])
def test_images_and_series(kind: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    y = np.arange(ROWS) % 2
    shape, layers = {"images": ((8, 8), "conv2d:4:3 maxpooling2d:2"), "series": ((12, 2), "conv1d:4:3 lstm:5")}[kind]
    x = (draw.normal(size=(ROWS, *shape)) + y.reshape(-1, *[1] * len(shape))).astype(np.float32)
    np.savez(tmp_path / "data.npz", X=x, y=y)
    options = {"kind": kind, "layers": layers, "hidden": (4,), "out": str(tmp_path / "run")}
    agrees(shoal.fit(str(tmp_path / "data.npz"), **{**SMALL, **options}), tmp_path)


@needs_compiler
@pytest.mark.slow
def test_the_command(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = str(tmp_path / "run"), str(tmp_path / "my model.c")
    shoal.fit(table, out=run, hidden=(4,), **{**SMALL, **CASES["classes"]})
    assert main(["export", run, out]) == 0
    assert "it agrees with shoal: 32 test rows: largest difference" in capsys.readouterr().out
    assert main(["export", run, out]) == 2
    assert "exists. Choose another, or replace it with --force" in capsys.readouterr().err
    assert main(["export", run, out, "--force", "--json"]) == 0
    assert main(["export", run, str(tmp_path / "m.onx")]) == 2
    assert "got 'm.onx'" in capsys.readouterr().err
    source = Path(out).read_text()
    assert "malloc" not in source
    assert "*/ int" not in source
    Path(table).unlink()
    written = shoal.export_model(run, tmp_path / "alone.c")
    assert str(written.agreement) == "It has no rows to check itself."
    assert "cannot be read again" in written.notes[0]


def test_what_cannot_be_exported_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run folder"):
        shoal.export_model(tmp_path / "none", tmp_path / "m.c")
    assert issubclass(ExportError, ValueError)


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
    options = {"networks": 1, "hidden": (3,), "epochs": 2, "batch_size": 32, "page": False}
    run = shoal.fit("iris", seal_test=True, out=str(tmp_path / "sealed"), **options)
    written = shoal.export_model(run, tmp_path / "iris.c")
    assert "validation rows: largest difference" in str(written.agreement)
    assert "test rows" not in (tmp_path / "iris.c").read_text()
    kept = json.loads((tmp_path / "sealed" / "exports" / "iris.c.json").read_text())
    assert kept["agreement"] == written.agreement.to_dict()
