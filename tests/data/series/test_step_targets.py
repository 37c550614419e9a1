"""Targets of the steps of series: from arrays, NPZ files and long tables, in splits, folds and preparations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.data import Preparation, load_dataset, load_with_test, split_rows
from shoal.data.builtin.generated_steps import SPREAD, STAY, bursts_truth
from shoal.data.describe import describe
from shoal.data.readers import ReadOptions
from shoal.data.series.cutting import cut_again
from shoal.data.split.folds import check_folds
from shoal.errors import DataError, SettingError
from shoal.results import Task


def series(rows: int = 20, time: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, time, 2))


def long_table(rows: int = 20) -> pl.DataFrame:
    """Return steps of series of 3 to 6 steps in no order, with a state, a number and a shot for each two series."""
    rng, parts = np.random.default_rng(1), []
    for i in range(rows):
        v = rng.normal(size=3 + i % 4)
        parts.append({"id": [f"s{i}"] * len(v), "t": list(range(len(v))), "v": v.tolist(), "shot": [i // 2] * len(v)})
    table = pl.concat([pl.DataFrame(part) for part in parts])
    up = pl.when(pl.col("v") > 0).then(pl.lit("up")).otherwise(pl.lit("down"))
    return table.with_columns(state=up, twice=2 * pl.col("v")).sample(fraction=1.0, shuffle=True, seed=3)


def test_arrays_tell_that_steps_have_targets() -> None:
    x = series()
    dataset = load_dataset((x, (x[:, :, 0] > 0).astype(int)))
    assert dataset.task_name == "binary classification of every step"
    assert dataset.y().tolist() == (x[:, :, 0] > 0).astype(int).tolist()
    assert "per_step=False" in dataset.notes[0]
    assert load_dataset((x, x[:, :, 0]), per_step=False).task_name == "regression, 6 targets"
    numbers = load_dataset((x, x * [1.0, 2.0]))
    assert numbers.task_name == "regression, 2 targets of every step"
    np.testing.assert_array_equal(numbers.y(), x * [1.0, 2.0])


def test_a_one_among_zeros_is_a_class() -> None:
    classes = np.random.default_rng(2).integers(0, 3, (20, 6))
    onehot = np.eye(3)[classes]
    onehot[4, 2] = np.nan
    dataset = load_dataset((series(), onehot))
    assert dataset.classes == ("0", "1", "2")
    classes[4, 2] = -1
    assert dataset.y().tolist() == classes.tolist()


def test_steps_without_a_target_are_counted() -> None:
    x = series()
    y = x[:, :, 0].copy()
    y[3], y[5, 2] = np.nan, np.nan
    dataset = load_dataset((x, y), per_step=True)
    assert dataset.rows == 19
    assert dataset.kept.tolist() == [i for i in range(20) if i != 3]
    assert np.isnan(dataset.y()).sum() == 1
    assert dataset.step_targets is not None
    assert len(dataset.step_targets) == 19
    text = " ".join(dataset.notes)
    assert "7 of 120 steps have no target" in text
    assert "1 series without any target left out" in text


def test_a_file_holds_labels_of_steps(tmp_path: Path) -> None:
    x = series()
    names = np.where(x[:, :, 1] > 0, "on", "off")
    np.savez(tmp_path / "steps.npz", X=x, y=names)
    dataset = load_dataset(tmp_path / "steps.npz")
    assert dataset.classes == ("off", "on")
    assert describe(dataset).classes == {"off": int((names == "off").sum()), "on": int((names == "on").sum())}
    np.savez(tmp_path / "other.npz", X=x, y=np.where(names == "on", "off", "on"))
    assert load_dataset(tmp_path / "other.npz").sha256 != dataset.sha256


def test_a_long_table_keeps_its_targets_in_order() -> None:
    dataset = load_dataset(long_table(), series="id", time="t", target="twice", features=["v"], per_step=True)
    assert dataset.signals is not None
    assert dataset.signals.lengths is not None
    assert dataset.table.columns == ["id"]
    real = np.arange(6) < dataset.signals.lengths[:, None]
    np.testing.assert_allclose(dataset.y()[real], 2 * dataset.signals.values[real])
    assert np.isnan(dataset.y()[~real]).all()


def test_a_target_that_changes_needs_the_setting() -> None:
    with pytest.raises(DataError, match=r"row 4 holds .* per_step"):
        load_dataset(long_table().sort("id", "t"), series="id", time="t", target="state")


def test_other_tables_are_cut_alike() -> None:
    table = long_table()
    dataset = load_dataset(table, series="id", time="t", target="state", ignore="twice", per_step=True)
    preparation = Preparation.fit(dataset, np.arange(15))
    again = Preparation.from_dict(preparation.to_dict())
    assert again.per_step
    assert again.recipe is not None
    _, known = cut_again(table, again.recipe, known=True)
    assert again.step_target_values(known.targets).tolist() == dataset.y().tolist()
    _, blind = cut_again(table.drop("state"), again.recipe)
    assert blind.targets is None
    with pytest.raises(DataError, match="hold none to compare with"):
        again.step_target_values(None)
    _, odd = cut_again(table.with_columns(state=pl.lit("off")), again.recipe, known=True)
    with pytest.raises(DataError, match=r"step 1 of series 1 has the class 'off'.*the model knows"):
        again.step_target_values(odd.targets)


def test_splits_keep_series_and_groups_whole() -> None:
    options: dict[str, Any] = {"series": "id", "target": "state", "ignore": ["twice", "t"], "per_step": True}
    dataset = load_dataset(long_table(), group="shot", **options)
    split, groups = split_rows(dataset), dataset.groups()
    assert groups is not None
    assert not set(groups[split.train]) & set(groups[split.test])
    plain = load_dataset(long_table(), **options)
    check_folds(plain, np.arange(16), 3)
    with pytest.raises(SettingError, match="cv"):
        check_folds(plain, np.arange(16), 17)


def test_numbers_are_scaled_over_all_steps() -> None:
    x = series()
    y = 5.0 + 3.0 * x[:, :, :1]
    y[0, 0] = np.nan
    preparation = Preparation.fit(load_dataset((x, y)), np.arange(10))
    assert preparation.target_mean[0] == pytest.approx(np.nanmean(y[:10]))
    assert preparation.target_scale[0] == pytest.approx(np.nanstd(y[:10]))


def test_test_rows_of_their_own_may_be_longer() -> None:
    x, longer = series(), series(12, 8)
    dataset, rows = load_with_test((x, x[:, :, :1]), (longer, longer[:, :, :1]))
    assert dataset.y().shape == (32, 8, 1)
    assert np.isnan(dataset.y()[:20, 6:]).all()
    np.testing.assert_array_equal(dataset.y()[rows], longer[:, :, :1])
    with pytest.raises(DataError, match=r"must have shape \(20, 6\) or"):
        load_with_test((x, x[:, :, 0]), (x, x[:, 0, 0]), options=ReadOptions(per_step=None))


@pytest.mark.parametrize(
    ("data", "options", "error", "said"),
    [
        ((series(), np.zeros(20)), {"per_step": True}, DataError, "must have shape"),
        ((series(), np.full((20, 6), np.nan)), {}, DataError, "no step has a target"),
        (long_table(), {"per_step": True, "target": "state"}, SettingError, "--series"),
        (long_table(), {"per_step": True, "window": 2}, SettingError, "window"),
        ((series(), np.where(np.arange(6) == 2, np.inf, np.ones((20, 6)))), {}, DataError, "one after the other"),
        ((series(), np.ones((20, 6))), {"task": "regression"}, DataError, "nothing to learn"),
        (
            long_table(),
            {"per_step": True, "series": "id", "target": "twice", "y_err": "shot"},
            DataError,
            "measured errors",
        ),
    ],
)
def test_bad_input_says_what_is_wrong(data: Any, options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        load_dataset(data, **options)


def bursts_best(values: np.ndarray) -> np.ndarray:
    """Return the probability of a burst at each step as who knows the process would give it.

    The forward-backward algorithm (Rabiner, Proc. IEEE 77, 257, 1989) with the true numbers.

    Args:
        values: `(rows, time)`.

    Returns:
        `(rows, time)` probabilities; no method can do better than them on average.
    """
    spread = np.asarray(SPREAD)
    likely = np.exp(-0.5 * (values[..., None] / spread) ** 2) / spread
    move = np.array([[STAY[0], 1 - STAY[0]], [1 - STAY[1], STAY[1]]])
    start = np.array([1 - STAY[1], 1 - STAY[0]]) / (2 - STAY[0] - STAY[1])
    forward, backward = np.empty_like(likely), np.ones_like(likely)
    now = start * likely[:, 0]
    for step in range(values.shape[1]):
        now = now if step == 0 else (forward[:, step - 1] @ move) * likely[:, step]
        forward[:, step] = now / now.sum(axis=1, keepdims=True)
    for step in range(values.shape[1] - 2, -1, -1):
        later = (backward[:, step + 1] * likely[:, step + 1]) @ move.T
        backward[:, step] = later / later.sum(axis=1, keepdims=True)
    both = forward * backward
    return np.asarray(both[..., 1] / both.sum(axis=2))


def test_the_built_in_set_has_a_known_truth() -> None:
    dataset = load_dataset("bursts")
    truth = bursts_truth()
    assert dataset.task is Task.CLASSIFICATION
    assert (np.asarray(dataset.classes)[dataset.y()] == np.asarray(["quiet", "burst"])[truth]).all()
    assert dataset.signals is not None
    best = bursts_best(dataset.signals.values[:, :, 0])
    assert ((best > 0.5) == truth).mean() == pytest.approx(0.89, abs=0.01)
    assert best.mean() == pytest.approx(truth.mean(), abs=0.01)


def test_labels_of_steps_are_left_out_of_a_reconstruction() -> None:
    dataset = load_dataset("bursts", reconstruct=True)
    assert dataset.task is Task.RECONSTRUCTION
    assert dataset.step_targets is None
    assert dataset.targets == ()
