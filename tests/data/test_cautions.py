"""Values that mean "missing" and numbers of rows: told where they are, and not told where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shoal.cli import main
from shoal.data import BUILTIN, Preparation, ReadOptions, Roles, load_dataset
from shoal.data.cautions import cautions
from shoal.data.describe import describe
from shoal.data.new_rows import read_new
from shoal.errors import DataError, ShoalError
from shoal.settings import FitSettings
from shoal.steps.reading import read_checked
from shoal.training.progress import Silent

ROWS = 200
RANDOM = np.random.default_rng(0)


def with_value(values: np.ndarray, sentinel: float, times: int) -> np.ndarray:
    values = np.array(values, float)
    values[RANDOM.permutation(len(values))[:times]] = sentinel
    return values


@pytest.mark.parametrize(
    ("values", "sentinel"),
    [
        (RANDOM.normal(size=ROWS), -999.0),
        (RANDOM.normal(20, 2, ROWS), -99.0),
        (RANDOM.normal(20, 2, ROWS), 99.0),
        (RANDOM.uniform(0, 300, ROWS), -9999.0),
        (RANDOM.uniform(0, 4000, ROWS), 9999.0),
        (RANDOM.integers(0, 100, ROWS), 65535.0),
        (RANDOM.exponential(size=ROWS), 1e20),
        (RANDOM.exponential(size=ROWS), float(np.float32(9.96921e36))),
        (RANDOM.normal(2.5, 0.1, ROWS), -999.25),
    ],
)
def test_a_sentinel_is_told_and_left_alone(values: np.ndarray, sentinel: float) -> None:
    columns = {"x": with_value(values, sentinel, 5), "other": RANDOM.normal(size=ROWS), "y": RANDOM.normal(size=ROWS)}
    dataset = load_dataset(columns, target="y")
    (told,) = dataset.cautions
    assert told.startswith(f"'x' holds {sentinel:.10g} in 5 rows (2.5 %), far from its other values (")
    assert f"--missing x={sentinel:.10g}" in told
    assert told in describe(dataset).warnings
    np.testing.assert_array_equal(dataset.table["x"].to_numpy(), columns["x"])
    options = ReadOptions(missing=(f"x={sentinel:.10g}",))
    treated = load_dataset(columns, target="y", options=options)
    if sentinel < 1e30:  # written with ten digits it is another number
        assert treated.table["x"].null_count() == 5
        assert treated.cautions == ()


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.integers(0, 100, ROWS),  # 99 is an end of a range like any other
        RANDOM.uniform(-999, 999, ROWS).round(),
        RANDOM.choice([-1.0, 0.0, 1.0], ROWS),
        np.r_[RANDOM.normal(size=ROWS - 1), -999.0],  # only once: an outlier
        np.r_[RANDOM.pareto(0.5, ROWS - 2), 999.0, 999.0],
        np.r_[RANDOM.normal(size=ROWS - 9), np.full(9, -1234.0)],
        RANDOM.choice([9.0, 99.0, 999.0, 9999.0], ROWS),
    ],
)
def test_what_is_no_sentinel(values: np.ndarray) -> None:
    assert cautions(pl.DataFrame({"x": values, "y": RANDOM.normal(size=ROWS)}), Roles(target=["y"])) == []


@pytest.mark.parametrize("name", BUILTIN)
def test_the_built_in_sets_raise_no_false_alarm(name: str) -> None:
    dataset = load_dataset(name, reconstruct=False)
    assert (dataset.cautions, dataset.read_notes, dataset.reading.formats) == ((), (), {})


def test_several_sentinels_of_a_target_and_its_error() -> None:
    y = with_value(with_value(RANDOM.normal(size=ROWS), -999.0, 4), 9999.0, 3)
    told = load_dataset({"x": RANDOM.normal(size=ROWS), "y": y}, target="y").cautions
    assert len(told) == 2
    assert "-999" in told[0]
    assert "9999" in told[1]
    dataset = load_dataset({"x": range(7, 7 + ROWS), "y": y}, target="y", options=ReadOptions(missing=("-999", "9999")))
    assert dataset.rows == ROWS - int((y == -999).sum()) - int((y == 9999).sum())
    with pytest.raises(DataError, match=r"missing='mas=99': there is no column 'mas'.*'mass'"):
        load_dataset({"mass": [1.0] * 20, "y": y[:20]}, options=ReadOptions(missing=("mas=99",)))


def test_sentinels_of_weights_are_told_and_ignored_columns_are_not_looked_at() -> None:
    columns = {name: with_value(RANDOM.normal(9, 1, ROWS), -99.0, 3) for name in ("w", "left", "x")}
    columns["y"] = RANDOM.normal(size=ROWS)
    told = load_dataset(columns, target="y", weight="w", ignore="left").cautions
    assert [text.split()[0] for text in told] == ["'w'", "'x'"]


def test_missing_values_are_saved_with_the_preparation() -> None:
    x = with_value(RANDOM.normal(size=ROWS), -999.0, 5)
    columns = {"x [mm]": x, "y": RANDOM.normal(size=ROWS)}
    dataset = load_dataset(columns, target="y", options=ReadOptions(missing=("x=-999",)))
    preparation = Preparation.from_dict(json.loads(json.dumps(Preparation.fit(dataset, np.arange(150)).to_dict())))
    new = preparation.transform(pl.DataFrame({"x [mm]": [-999, 1]}))
    empty = preparation.transform(pl.DataFrame({"x [mm]": [None, 1.0]}))
    np.testing.assert_array_equal(new, empty)
    assert preparation.notes is not None
    assert "reading" in preparation.to_dict()


def test_a_mixed_running_number_is_told_and_one_that_is_named_is_left_out() -> None:
    columns = {
        "plate": RANDOM.permutation(ROWS) + 17,
        "objID": RANDOM.permutation(ROWS) + 0.0,
        "year": np.arange(ROWS) + 1800,
        "x": RANDOM.normal(size=ROWS),
        "y": RANDOM.normal(size=ROWS),
    }
    dataset = load_dataset(columns, target="y")
    roles = {column.name: column.role for column in dataset.columns}
    assert roles == {"plate": "feature", "objID": "dropped", "year": "feature", "x": "feature", "y": "target"}
    (told,) = dataset.cautions
    assert "'plate' holds 200 different numbers from 17 to 216, in some other order" in told
    assert told.endswith("--ignore plate.")
    kept = load_dataset(columns, target="y", features=["plate", "objID"])
    assert len(kept.features) == 2


class Listener(Silent):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        """Keep the warning."""
        self.warnings.append(text)

    def training(self, **news: object) -> None:
        """Ignore the progress."""


def test_all_is_said_before_training_and_by_describe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2024-01-01", periods=ROWS).strftime("%d.%m.%Y"),
            "mag_r": with_value(RANDOM.normal(20, 1, ROWS), -99.0, 7),
            "price": [f"1'{i:03d}.50" for i in RANDOM.integers(0, 999, ROWS)],
            "y": RANDOM.normal(size=ROWS),
        }
    )
    frame.to_csv(tmp_path / "t.csv")
    listener = Listener()
    read_checked(str(tmp_path / "t.csv"), FitSettings(), listener, None)
    parts = ("first column has no name", "'when': read as dates", "'mag_r' holds -99 in 7 rows", "Left out Unnamed: 0")
    parts += ("'price': read as numbers that are written like 1'234.5",)
    assert main(["describe", str(tmp_path / "t.csv")]) == 0
    told = capsys.readouterr()
    for part in parts:
        assert any(part in text for text in listener.warnings)
        assert part in told.out + told.err
    assert main(["describe", str(tmp_path / "t.csv"), "--missing", "-99"]) == 0
    told = capsys.readouterr()
    assert "-99: taken as missing, in 7 of 'mag_r'." in told.out
    assert "mag_r" not in told.err


def test_texts_may_mean_missing(tmp_path: Path) -> None:
    rows = "\n".join(f"{i * 0.5 if i % 5 else 'bad'},{i % 7}.5" for i in range(30))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}\n", encoding="utf-8")
    dataset = load_dataset(tmp_path / "t.csv", target="y", options=ReadOptions(missing=("bad",)))
    assert dataset.table["x"].dtype == pl.Float64
    assert dataset.table["x"].null_count() == 6
    assert issubclass(DataError, ShoalError)


def test_gaps_of_series_are_told_and_filled_where_they_are_declared() -> None:
    x = np.repeat(np.sin(np.arange(30.0))[None, :, None], 40, axis=0) + RANDOM.normal(size=(40, 30, 1))
    gap = x.copy()
    gap[3, 5], gap[7, 0] = -9999.0, -9999.0
    y = RANDOM.normal(size=40)
    (told,) = load_dataset((gap, y)).cautions
    assert "holds -9999 in 2 steps" in told
    dataset = load_dataset((gap, y), options=ReadOptions(missing=("-9999",)))
    assert dataset.cautions == ()
    assert dataset.signals is not None
    assert dataset.signals.values[3, 5, 0] == pytest.approx((x[3, 4, 0] + x[3, 6, 0]) / 2)
    preparation = Preparation.fit(dataset, np.arange(30))
    known = read_new(gap, preparation).signals
    assert known is not None
    np.testing.assert_allclose(preparation.transform(known), preparation.transform(dataset.signals))
