"""Every format, and every kind of model: it agrees with shoal to 1e-5, or refuses before it writes a file."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.after.exporting import Exported
from shoal.errors import ExportError
from shoal.export.exporters import EXPORTERS

ROWS = 160
SMALL: dict[str, Any] = {
    "networks": 3, "keep": 2, "epochs": 6, "batch_size": 32, "page": False, "learning_rate": 0.01, "seal_test": True,
}  # fmt: skip
TABLES: dict[str, dict[str, Any]] = {
    "classes": {"target": "label", "ignore": ("e", "y")},
    "numbers with errors and replicas": {"target": "y", "y_err": "e", "ignore": "label", "replicas": 3},
    "folds": {"target": "y", "ignore": ("e", "label"), "cv": 3},
    "folds of classes": {"target": "label", "ignore": ("e", "y"), "cv": 3},
    "gaussian": {"target": "y", "ignore": ("e", "label"), "loss": "gaussian_nll"},
    "quantiles": {"target": "y", "ignore": ("e", "label"), "loss": "pinball", "normalization": "quantile"},
    "robust": {"target": "y", "ignore": ("e", "label"), "normalization": "robust"},
    "encodings": {"target": "y", "ignore": ("e", "label"), "feature_encoding": "piecewise; quantile", "keep": 3},
    "reconstruction": {"reconstruct": True, "ignore": ("e", "label")},
    "correlated": {"target": ["y", "x"], "ignore": ("e", "label"), "loss": "multivariate_gaussian_nll"},
}
ARRAYS: dict[str, tuple[str, tuple[int, ...], str]] = {
    "images": ("images", (8, 8), "conv2d:4:3 maxpooling2d:2"),
    "series": ("series", (12, 2), "conv1d:4:3 lstm:5"),
    "random kernels": ("series", (12, 2), "minirocket:12:1"),
}
SLOW = {".keras": ("classes", "random kernels", "correlated", "steps of unequal series")}
"""Cases of formats that take seconds to be checked; they have tests of their own for the others."""
CASES = (*TABLES, *ARRAYS, "steps of unequal series")
PAIRS = [(case, extension) for case in CASES for extension in EXPORTERS if case in SLOW.get(extension, CASES)]
WHOLE = (".c", ".f90", ".onnx", ".py")
"""Formats that refuse none of these but correlated errors."""
STRICT_C = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]
STRICT_FORTRAN = ["-std=f2008", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fcheck=all", "-O1"]
WATCHED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
needs_compiler = pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
needs_fortran = pytest.mark.skipif(shutil.which("gfortran") is None, reason="there is no gfortran")


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


def unequal_series() -> pl.DataFrame:
    """Return series of five to nine steps, each with a number to predict."""
    draw = np.random.default_rng(2)
    steps = [(s, t, draw.normal(), draw.normal()) for s in range(150) for t in range(5 + s % 5)]
    table = pl.DataFrame(steps, schema=["s", "t", "x", "z"], orient="row")
    return table.with_columns(y=pl.col("x").cum_sum().over("s") + 0.1 * pl.col("z"))


@pytest.fixture(scope="module")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], shoal.Run]:
    """Return what trains the run of a case when it is first asked for."""
    folder = tmp_path_factory.mktemp("export")
    mixed().write_parquet(folder / "mixed.parquet")

    @cache
    def trained(case: str) -> shoal.Run:
        out = str(folder / case.replace(" ", "_"))
        if case in TABLES:
            return shoal.fit(str(folder / "mixed.parquet"), out=out, hidden=(6, 5), **{**SMALL, **TABLES[case]})
        if case not in ARRAYS:
            path, options = str(folder / "steps.csv"), {"series": "s", "time": "t", "target": "y", "per_step": True}
            unequal_series().write_csv(path)
            return shoal.fit(path, out=out, layers="lstm:4:true", hidden=(4,), **SMALL, **options)
        kind, shape, layers = ARRAYS[case]
        draw, y = np.random.default_rng(1), np.arange(ROWS) % 2
        x = (draw.normal(size=(ROWS, *shape)) + y.reshape(-1, *[1] * len(shape))).astype(np.float32)
        np.savez(folder / f"{case}.npz", X=x, y=y)
        return shoal.fit(str(folder / f"{case}.npz"), out=out, kind=kind, layers=layers, hidden=(4,), **SMALL)

    return trained


def exported(run: shoal.Run, path: Path) -> tuple[Exported | None, str]:
    """Return what was written, or None and why it was refused."""
    try:
        return shoal.export_model(run, path), ""
    except ExportError as error:
        return None, str(error)


def built(command: list[str], folder: Path) -> None:
    """Compile in a folder, and run what comes of it."""
    made = subprocess.run([*command, "-o", "check"], cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    ran = subprocess.run(["./check"], cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("case", "extension"), PAIRS)
def test_agrees_or_refuses(run_of: Callable[[str], shoal.Run], case: str, extension: str, tmp_path: Path) -> None:
    run = run_of(case)
    written, refusal = exported(run, tmp_path / f"INDEX{extension}")
    if written is None:
        assert not list(tmp_path.iterdir())
        assert case == "correlated" or extension not in WHOLE, refusal
        return
    assert written.files[0] == tmp_path / f"INDEX{extension}"
    assert set(tmp_path.iterdir()) == set(written.files)
    if written.agreement.largest is None:
        pytest.skip(str(written.agreement))
    assert written.agreement.holds, str(written.agreement)
    assert written.agreement.rows >= 16


@pytest.mark.slow
@pytest.mark.parametrize("extension", EXPORTERS)
def test_the_same_run_gives_the_same_files(run_of: Callable[[str], shoal.Run], extension: str, tmp_path: Path) -> None:
    predictor, path = run_of("images").predictor, tmp_path / f"m{extension}"
    try:
        each = [EXPORTERS[extension].written(predictor, path, None).files for _ in range(3)]
    except ExportError:
        return
    assert each[0] == each[1] == each[2]
    assert not list(tmp_path.iterdir())


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case != "correlated"])
def test_c_is_strict(run_of: Callable[[str], shoal.Run], case: str, tmp_path: Path) -> None:
    files = [file.name for file in shoal.export_model(run_of(case), tmp_path / "INDEX.c").files]
    assert files == ["INDEX.c", "INDEX.h"]
    for compiler, more in [*((compiler, []) for compiler in COMPILERS), (COMPILERS[0], WATCHED)]:
        built([compiler, *STRICT_C, *more, "-DINDEX_MAIN", "INDEX.c", "-lm"], tmp_path)


@needs_fortran
@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case != "correlated"])
def test_fortran_is_strict(run_of: Callable[[str], shoal.Run], case: str, tmp_path: Path) -> None:
    files = [file.name for file in shoal.export_model(run_of(case), tmp_path / "INDEX.f90").files]
    assert files == ["INDEX.f90", "INDEX_check.f90"]
    built(["gfortran", *STRICT_FORTRAN, *files], tmp_path)
    assert max(map(len, (tmp_path / "INDEX.f90").read_text().splitlines())) <= 132


@pytest.mark.slow
def test_python_takes_columns_by_name(run_of: Callable[[str], shoal.Run], tmp_path: Path) -> None:
    run = run_of("classes")
    file = shoal.export_model(run, tmp_path / "alone.py").files[0]
    spec = importlib.util.spec_from_file_location("alone", file)
    assert spec is not None
    assert spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    table = mixed().head(20)
    said = alone.predict(table.to_dict(as_series=False))
    expected = run.predict(table)
    np.testing.assert_allclose(said["probabilities"], expected.probabilities, atol=1e-5)
    assert said["outside"].dtype == bool
    np.testing.assert_array_equal(said["outside"], expected.outside)
    assert said["set"].shape == (20, 2)
    assert len(alone.predict(np.zeros((0, len(alone.COLUMNS))))["set"]) == 0
    with pytest.raises(ValueError, match=r"expected the columns .* are missing"):
        alone.predict({"x": [1.0]})
    with pytest.raises(ValueError, match=r"expected rows of 8 numbers, an array \('rows', 8\), got an array \(2, 3\)"):
        alone.predict(np.zeros((2, 3)))
