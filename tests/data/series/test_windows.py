"""Windows of long series against plain loops: their content, their targets, and no look into the future."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data import Preparation, load_dataset, load_with_test, split_rows
from shoal.data.roles import Roles
from shoal.data.series.cutting import cut_again
from shoal.data.series.interpolation import fill_short_gaps
from shoal.data.series.recipe import Recipe
from shoal.data.series.windows import SHORT_GAP, cut_windows, windows_of
from shoal.errors import DataError, SettingError
from shoal.run import Run


def expected(table: pl.DataFrame, window: int, horizon: int, spacing: float) -> dict[tuple[str, float], tuple]:
    """Return window and targets by series and time of the first predicted value, by plain loops."""
    found = {}
    for (name,), rows in table.group_by("s"):
        rows = rows.sort("t")
        t, y, z = (rows[column].to_list() for column in ("t", "y", "z"))
        filled = fill_short_gaps(rows.select("y", "z").cast(pl.Float64).to_numpy().copy(), SHORT_GAP)
        for start in range(len(t) - window - horizon + 1):
            places = range(start, start + window + horizon)
            if any(t[k + 1] - t[k] > 1.5 * spacing for k in places[:-1]):
                continue
            inputs, last, targets = (
                filled[start : start + window],
                start + window - 1,
                y[start + window : places[-1] + 1],
            )
            if np.isnan(inputs).any() or y[last] is None or z[last] is None or None in targets:
                continue
            found[name, float(t[start + window])] = inputs, targets, float(t[places[-1]])
    return found


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    lost, gaps = draw(st.sampled_from([0.0, 0.1, 0.3])), draw(st.integers(0, 2))
    parts = []
    for i in range(draw(st.integers(1, 3))):
        n = int(rng.integers(30, 60))
        t = np.arange(n)
        for place in rng.integers(1, n, gaps):
            t[place:] += int(rng.integers(1, 4))
        y, z = rng.standard_normal((2, n)).round(3)
        parts.append(
            pl.DataFrame(
                {
                    "s": [f"s{i}"] * n,
                    "t": t,
                    "y": [None if rng.random() < lost else float(v) for v in y],
                    "z": [None if rng.random() < lost / 2 else float(v) for v in z],
                },
                schema={"s": pl.String, "t": pl.Int64, "y": pl.Float64, "z": pl.Float64},
            )
        )
    table = pl.concat(parts)
    return table[rng.permutation(table.height)] if draw(st.booleans()) else table


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(table=tables(), window=st.integers(1, 6), horizon=st.integers(1, 4))
def test_windows_are_those_of_a_plain_loop(table: pl.DataFrame, window: int, horizon: int) -> None:
    recipe = Recipe(("y",), ("y", "z"), "t", "s", window, horizon)
    loop = expected(table, window, horizon, 1.0)
    if not loop:
        with pytest.raises(DataError, match=r"fits|missing"):
            cut_windows(table, Roles(target=["y"], time="t"), recipe)
        return
    made = cut_windows(table, Roles(target=["y"], time="t"), recipe)
    assert made.table.height == len(loop)
    names = made.roles.target
    for i, row in enumerate(made.table.iter_rows(named=True)):
        inputs, targets, until = loop[row["s"], float(row["t"])]
        np.testing.assert_array_equal(made.signals.values[i], inputs)
        assert [row[name] for name in names] == targets
        assert made.cut.until[i] == until


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(table=tables(), window=st.integers(1, 5), horizon=st.integers(1, 6))
def test_no_target_of_training_is_at_or_after_the_first_time_of_validation(
    table: pl.DataFrame, window: int, horizon: int
) -> None:
    try:
        dataset = load_dataset(table, target="y", series="s", time="t", window=window, horizon=horizon)
        split = split_rows(dataset)
    except DataError as error:
        assert any(word in str(error) for word in ("fits", "missing", "at least 10", "too few", "same"))  # noqa: PT017
        return
    times = dataset.times()
    assert times is not None
    last = times + horizon - 1  # no window spans a gap
    assert last[split.train].max() < times[split.validation].min()
    assert last[split.validation].max() < times[split.test].min()
    if horizon == 1:
        assert sum(split.sizes.values()) == dataset.rows


def test_moments_that_microseconds_do_not_hold_leak_nothing() -> None:
    began = datetime(2024, 2, 1, 0, 0, 0, 123457)
    moments = [(began + timedelta(seconds=0.7 * k)).isoformat() for k in range(200)]
    table = pl.DataFrame({"at": moments, "y": np.random.default_rng(0).standard_normal(200)})
    for horizon in (2, 3, 5):
        dataset = load_dataset(table, target="y", time="at", window=4, horizon=horizon)
        split = split_rows(dataset)
        assert split.validation.min() - split.train.max() == horizon
        assert split.test.min() - split.validation.max() == horizon


def wave(rows: int = 80, **columns: Any) -> pl.DataFrame:
    t = np.arange(rows)
    return pl.DataFrame({"t": t, "y": np.sin(t / 3.0), "z": np.cos(t / 5.0), **columns})


def test_a_forecast_of_several_steps_in_short() -> None:
    dataset = load_dataset(wave(), target="y", time="t", window=8, horizon=3)
    assert dataset.targets == ("y +1", "y +2", "y +3")
    assert dataset.signals is not None
    assert dataset.signals.channels == ("y", "z")
    assert dataset.table.row(0)[0] == 8
    assert dataset.notes[-1] == "Cut 70 windows of 8 steps; each predicts the next 3 values of 'y'."
    split = split_rows(dataset)
    assert "Left out 4 windows" in split.how
    assert load_dataset(wave(), target="y", time="t", window=8).targets == ("y",)


def test_without_a_time_steps_are_counted_and_split_in_order() -> None:
    dataset = load_dataset(wave().drop("t"), target="y", window=8)
    assert dataset.roles.time == "step"
    assert dataset.table["step"].to_list() == list(range(9, 81))
    split = split_rows(dataset)
    assert split.train.max() < split.validation.min() < split.test.min()


def test_counts_are_numbers_in_a_forecast() -> None:
    table = pl.DataFrame({"y": [0, 1, 2, 1] * 30})
    assert load_dataset(table, target="y", window=4).task_name == "regression"


def test_rows_chosen_for_the_test_share_no_target_with_training() -> None:
    dataset = load_dataset(wave(), target="y", time="t", window=8, horizon=3)
    split = split_rows(dataset, test_rows=np.arange(30, 40))
    assert not set(range(28, 42)) & set(split.train.tolist())
    assert 27 in split.train


def test_a_test_file_goes_on_without_windows_across() -> None:
    dataset, test = load_with_test(wave(60), wave(90)[60:], target="y", time="t", window=8, horizon=3)
    assert len(test) == 30 - 8 - 3 + 1
    assert dataset.rows == 50 + len(test)
    assert dataset.table["t"][int(test[0])] == 68


def test_missing_values_are_never_filled_in_from_the_future_of_a_window() -> None:
    y = [float(k) for k in range(30)]
    y[10] = None  # type: ignore[call-overload]
    table = pl.DataFrame({"y": y})
    made = cut_windows(table, Roles(target=["y"]), Recipe(("y",), ("y",), window=3))
    steps = made.table["step"].to_list()
    assert 11 not in steps  # its target is not known
    assert 12 not in steps  # its last step would be filled in with its own target
    assert made.signals.values[steps.index(13), :, 0].tolist() == [9.0, 10.0, 11.0]
    assert made.notes[1:] == (
        "Filled in 1 missing value linearly, where 3 or fewer follow each other.",
        "Left out 2 windows with missing values.",
    )


def test_gaps_are_counted_and_irregular_times_are_said() -> None:
    t = np.arange(60)
    t[30:] += 5
    dataset = load_dataset(wave(60, t=t), target="y", time="t", window=4, horizon=2)
    assert "Left out 5 windows that would span a gap in 't'." in dataset.notes
    t = np.cumsum(np.random.default_rng(0).exponential(1.0, 60))
    dataset = load_dataset(wave(60, t=t), target="y", time="t", window=4, horizon=2)
    assert dataset.rows == 55
    assert any("are not alike" in note for note in dataset.notes)


def test_the_last_window_forecasts_what_is_not_known_yet() -> None:
    days = [date(2024, 2, 1) + timedelta(k) for k in range(40)]
    table = pl.DataFrame({"day": days, "y": np.arange(40.0), "z": np.arange(40.0) ** 2})
    dataset = load_dataset(table, target="y", time="day", window=8, horizon=2)
    fitted = Preparation.fit(dataset, np.arange(20))
    preparation = Preparation.from_dict(fitted.to_dict())
    assert preparation.recipe is not None
    made, signals = cut_again(table[::-1], preparation.recipe)
    assert made.height == 40 - 8 + 1
    assert made.row(-1) == (date(2024, 3, 12), None, None)
    assert made.row(-2) == (date(2024, 3, 11), 39.0, None)
    assert signals.values[-1, :, 0].tolist() == list(range(32, 40))
    known, _ = cut_again(table, preparation.recipe, known=True)
    assert known.height == 31
    np.testing.assert_array_equal(preparation.target_values(known), dataset.y())
    np.testing.assert_array_equal(preparation.transform(signals)[:31], preparation.transform(dataset.signals))


def test_a_run_predicts_from_every_window_of_a_plain_table() -> None:
    dataset = load_dataset(wave(), target="y", time="t", window=8, horizon=2)
    preparation = Preparation.fit(dataset, np.arange(50))
    run = Run(None)  # type: ignore[arg-type]
    run.__dict__["predictor"] = SimpleNamespace(preparation=preparation, predict=preparation.transform, alarm=None)
    table, x = run.predict_table(wave(20))
    assert table["t"].to_list() == list(range(8, 21))
    assert x.shape == (13, 8, 2)  # type: ignore[attr-defined]
    assert table["y +2"].null_count() == 2
    with pytest.raises(DataError, match="no column 'z', which series are made of"):
        run.predict_table(wave(20).drop("z"))
    with pytest.raises(DataError, match="no window of 8 steps fits: the longest series has 7 rows"):
        run.predict_table(wave(7))


def test_windows_of_a_new_table_hold_what_those_of_the_fit_held() -> None:
    table = wave(50, s=["a"] * 25 + ["b"] * 25)
    recipe = Recipe(("y",), ("y", "z"), "t", "s", 5, 2, spacing=1.0)
    made = cut_windows(table, Roles(target=["y"], time="t"), recipe)
    again, signals = windows_of(table, recipe, known=True)
    np.testing.assert_array_equal(signals.values, made.signals.values)
    assert again.rows() == made.table.rows()


def test_roles_of_a_window_are_those_of_what_it_predicts() -> None:
    table = wave(60, w=np.arange(60.0), y_err=0.1 + np.arange(60.0), g=np.arange(60) // 10)
    dataset = load_dataset(table, target="y", time="t", weight="w", group="g", window=8, horizon=2)
    assert dataset.roles.y_err == ["y_err +1", "y_err +2"]
    np.testing.assert_array_equal(dataset.weights(), dataset.times())
    errors = dataset.y_err()
    assert errors is not None
    np.testing.assert_allclose(errors[:, 1] - errors[:, 0], 1.0)
    split = split_rows(dataset)
    first = np.arange(8, 59)
    targets = {name: {*first[rows], *(first[rows] + 1)} for name, rows in (("a", split.train), ("b", split.test))}
    assert not targets["a"] & targets["b"]


@pytest.mark.parametrize(
    ("table", "arguments", "error", "message"),
    [
        (
            wave(),
            {"window": 90},
            DataError,
            "no window of 90 steps and the 1 behind it fits: the longest series has",
        ),
        (wave(), {"window": 0}, SettingError, "window must be at least 1 step, got 0"),
        (wave(), {"window": 3, "horizon": 0}, SettingError, "horizon must be at least 1 step, got 0"),
        (wave(), {"window": 3, "season": 4}, SettingError, "season must be from 1 to the window's 3 steps, got 4"),
        (wave(), {"window": 3, "task": "classification"}, SettingError, "a window predicts numbers"),
        (wave(y=["a"] * 80), {"window": 3}, DataError, "column 'y' holds text or dates; name another target"),
        (
            wave(t=[0, *range(79)]),
            {"window": 3, "time": "t"},
            DataError,
            "holds '0' in rows 1 and 2; drop one, or",
        ),
        (
            wave(y=[1.0, None] * 40),
            {"window": 3},
            DataError,
            "every window of 3 steps and the 1 behind it holds",
        ),
        (wave(12), {"window": 4}, DataError, "the table has 8 windows; at least 10 are needed"),
        (wave(s=["a"] * 80), {"window": 3, "features": "s"}, DataError, "column 's' holds text or dates; the"),
        (wave(y=[np.inf] * 80), {"window": 3}, DataError, "column 'y' is infinite in row 1"),
    ],
)
def test_what_cannot_be_cut(table: pl.DataFrame, arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_dataset(table, target="y", **arguments)


def test_a_dataset_of_windows_stays_one() -> None:
    first = load_dataset(wave(), target="y", time="t", window=8, horizon=3)
    again = load_dataset(first)
    assert (again.task_name, again.targets) == (first.task_name, first.targets)
    assert again.cut is not None
    np.testing.assert_array_equal(split_rows(again).train, split_rows(first).train)
