from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data import Dataset, Preparation, load_dataset, split_rows
from shoal.data.feature_scaling import FEATURE_SCALINGS, mean_and_scale
from shoal.errors import DataError, SettingError
from shoal.results import Task

ROWS = 200
WAYS = list(FEATURE_SCALINGS)


def mixed(seed: int = 0, rows: int = ROWS) -> pl.DataFrame:
    """Return a table with every kind of column, missing values, and a number as target."""
    rng = np.random.default_rng(seed)
    mass = np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(2, 1, rows))
    color = rng.choice(["red", "green", "blue"], rows).tolist()
    color[0] = "mauve"  # in row 0 only: rare
    days = [(datetime.date(2020, 1, 1) + datetime.timedelta(int(d))).isoformat() for d in rng.integers(0, 900, rows)]
    return pl.DataFrame(
        {
            "mass": mass,
            "count": rng.integers(0, 50, rows),
            "color": color,
            "on": rng.random(rows) < 0.4,
            "seen": days,
            "site": [None if i % 9 == 0 else f"s{i % 4}" for i in range(rows)],
            "y": 100 + 5 * rng.standard_normal(rows),
        },
        strict=False,
    )


def dataset() -> Dataset:
    return load_dataset(mixed())


TRAIN = np.arange(120)


@pytest.mark.parametrize("way", WAYS)
def test_other_rows_have_no_influence(way: str) -> None:
    """Whatever stands in validation and test rows, what is fitted stays the same."""
    original = mixed()
    reference = Preparation.fit(load_dataset(original), TRAIN, normalization=way).to_dict()
    other = mixed(seed=1).with_columns(
        mass=pl.Series([1e9, None] * 100),
        count=pl.Series(range(1000, 1000 + ROWS)),
        color=pl.Series(["violet", None] * 100),
        y=pl.Series(np.linspace(-1e6, 1e6, ROWS)),
    )
    changed = pl.concat([original[:120], other[120:]], how="vertical_relaxed")
    assert Preparation.fit(load_dataset(changed), TRAIN, normalization=way).to_dict() == reference
    # and the training rows do have influence, so that the test can fail
    moved = original.with_columns(mass=pl.col("mass") + pl.when(pl.int_range(ROWS) < 40).then(1.0).otherwise(0.0))
    if way != "none":
        assert Preparation.fit(load_dataset(moved), TRAIN, normalization=way).to_dict() != reference
    permuted = pl.concat([original[:120], original[120:].reverse()])
    assert Preparation.fit(load_dataset(permuted), TRAIN, normalization=way).to_dict() == reference


def test_feature_names_and_shape() -> None:
    prepared = Preparation.fit(dataset(), TRAIN)
    assert prepared.feature_names == (
        "mass", "mass is missing", "count", "color=blue", "color=green", "color=red", "color=other",
        "on", "seen", "site=s0", "site=s1", "site=s2", "site=s3", "site is missing",
    )  # fmt: skip
    assert prepared.input_columns == ("mass", "count", "color", "on", "seen", "site")
    x = prepared.transform(mixed())
    assert x.shape == (ROWS, 14)
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    assert np.isfinite(x).all()
    assert prepared.notes == ("'color': 1 rare category counts as 'other'.",)
    assert prepared.transform(mixed()[:0]).shape == (0, 14)


def test_equal_to_sklearn() -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    table = mixed()
    prepared = Preparation.fit(load_dataset(table), TRAIN)
    x = dict(zip(prepared.feature_names, prepared.transform(table).T, strict=True))
    raw = table.select(pl.col("mass").fill_nan(float("nan")), pl.col("count").cast(pl.Float64)).to_numpy()
    scaler = StandardScaler().fit(raw[TRAIN])  # it leaves missing values out, as we do
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(raw[TRAIN])
    imputed = imputer.transform(raw)
    scaled = scaler.transform(imputed[:, :2])
    assert x["mass"] == pytest.approx(scaled[:, 0], rel=1e-5, abs=1e-6)
    assert x["count"] == pytest.approx(scaled[:, 1], rel=1e-5, abs=1e-6)
    assert np.array_equal(x["mass is missing"], imputed[:, 2])
    color = table["color"].to_numpy()[:, None]
    encoder = OneHotEncoder(sparse_output=False, min_frequency=2, handle_unknown="infrequent_if_exist")
    hot = encoder.fit(color[TRAIN]).transform(color)
    ours = np.stack([x[f"color={name}"] for name in ("blue", "green", "red", "other")], axis=1)
    assert np.array_equal(ours, hot)


def test_standard_numbers_have_mean_zero_and_deviation_one() -> None:
    data = load_dataset("breast_cancer")
    split = split_rows(data)
    x = Preparation.fit(data, split.train).transform(data.table)[split.train]
    assert x.mean(axis=0) == pytest.approx(0.0, abs=1e-5)
    assert x.std(axis=0) == pytest.approx(1.0, abs=1e-5)


def test_robust_numbers_bound_outliers() -> None:
    from sklearn.preprocessing import RobustScaler

    values = np.random.default_rng(0).standard_normal(ROWS)
    values[3] = 1e12
    data = load_dataset({"x": values, "y": np.linspace(0, 1, ROWS)})
    x = Preparation.fit(data, np.arange(ROWS), normalization="robust").transform(data.table)[:, 0]
    plain = RobustScaler().fit_transform(values[:, None])[:, 0]
    assert x == pytest.approx(plain / np.sqrt(1 + (plain / 3) ** 2), abs=1e-5)
    assert x[3] == pytest.approx(3.0)


def test_quantile_numbers_are_normal_scores() -> None:
    from sklearn.preprocessing import QuantileTransformer

    values = np.random.default_rng(0).lognormal(0, 3, 2000)
    data = load_dataset({"x": values, "y": np.linspace(0, 1, 2000)})
    x = Preparation.fit(data, np.arange(2000), normalization="quantile").transform(data.table)[:, 0]
    theirs = QuantileTransformer(output_distribution="normal", n_quantiles=256).fit_transform(values[:, None])[:, 0]
    middle = np.abs(theirs) < 2
    assert x[middle] == pytest.approx(theirs[middle], abs=0.05)
    assert x.std() == pytest.approx(1.0, abs=0.05)
    assert np.array_equal(np.argsort(values), np.lexsort((values, x)))  # never out of order


def test_quantile_of_many_ties_is_monotone_and_finite() -> None:
    values = np.repeat([0.0, 1.0, 7.0], [90, 8, 2])
    data = load_dataset({"x": values, "y": np.linspace(0, 1, 100)})
    x = Preparation.fit(data, np.arange(100), normalization="quantile").transform(data.table)[:, 0]
    assert np.isfinite(x).all()
    assert x[0] < x[92] < x[99]


def test_none_changes_nothing() -> None:
    data = dataset()
    x = Preparation.fit(data, TRAIN, normalization="none").transform(data.table)
    assert np.array_equal(x[:, 2], data.table["count"].to_numpy())


def test_unknown_normalization() -> None:
    with pytest.raises(SettingError, match=r"standard, robust, quantile, none, got 'standart'.*'standard'"):
        Preparation.fit(dataset(), TRAIN, normalization="standart")


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-1e300, 1e300), min_size=12, max_size=40).filter(lambda v: len(set(v[:10])) > 1),
    st.sampled_from(WAYS),
)
def test_any_numbers_survive(values: list[float], way: str) -> None:
    data = load_dataset({"x": values, "y": np.arange(len(values)) * 1.5}, target="y", features=["x"])
    prepared = Preparation.fit(data, np.arange(10), normalization=way)
    assert np.isfinite(prepared.transform(data.table)).all()
    again = Preparation.from_dict(json.loads(json.dumps(prepared.to_dict())))
    assert np.array_equal(again.transform(data.table), prepared.transform(data.table))


@pytest.mark.parametrize("way", WAYS)
def test_round_trip_through_json_is_exact(way: str) -> None:
    for data in (dataset(), load_dataset("iris"), load_dataset("phase_transition")):
        prepared = Preparation.fit(data, np.arange(100), normalization=way)
        again = Preparation.from_dict(json.loads(json.dumps(prepared.to_dict())))
        assert again.to_dict() == prepared.to_dict()
        assert np.array_equal(again.transform(data.table), prepared.transform(data.table))
        assert (again.task, again.classes, again.targets) == (data.task, data.classes, data.targets)
        assert again.target_mean.tolist() == prepared.target_mean.tolist()
        assert again.target_scale.tolist() == prepared.target_scale.tolist()


def test_targets_are_scaled() -> None:
    data = load_dataset("phase_transition")
    prepared = Preparation.fit(data, np.arange(640))
    y = data.y()
    scaled = prepared.scale_target(y)
    assert scaled.dtype == np.float32
    assert scaled[:640].mean(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert scaled[:640].std(axis=0) == pytest.approx([1, 1], abs=1e-6)
    assert scaled.astype(float) * prepared.target_scale + prepared.target_mean == pytest.approx(y, abs=1e-6)
    classes = Preparation.fit(load_dataset("iris"), TRAIN)
    assert (classes.target_mean.tolist(), classes.target_scale.tolist()) == ([0.0], [1.0])
    assert classes.task is Task.CLASSIFICATION


def test_extra_and_reordered_columns_are_fine() -> None:
    prepared, table = Preparation.fit(dataset(), TRAIN), mixed()
    other = table.select(reversed(table.columns)).with_columns(more=pl.lit("?"))
    assert np.array_equal(prepared.transform(other), prepared.transform(table))


def test_columns_of_other_types_that_mean_the_same_are_fine() -> None:
    prepared, table = Preparation.fit(dataset(), TRAIN), mixed()
    other = table.with_columns(
        pl.col("count").cast(pl.String),
        pl.col("on").cast(pl.Int8),
        pl.col("color").cast(pl.Categorical),
        pl.col("seen").str.to_date(),
        pl.col("mass").cast(pl.Float32).cast(pl.Float64),
    )
    assert prepared.transform(other) == pytest.approx(prepared.transform(table), abs=1e-5)
    words = table.with_columns(pl.when("on").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("on"))
    assert np.array_equal(prepared.transform(words), prepared.transform(table))


def test_everything_missing_is_fine() -> None:
    prepared, table = Preparation.fit(dataset(), TRAIN), mixed()
    empty = pl.DataFrame({name: pl.Series([None, None]) for name in table.columns})
    x = dict(zip(prepared.feature_names, prepared.transform(empty).T, strict=True))
    assert x["mass is missing"].tolist() == x["site is missing"].tolist() == [1, 1]
    assert x["color=red"].tolist() == x["color=other"].tolist() == [0, 0]
    assert np.unique(np.stack([x["count"], x["on"], x["seen"]], axis=1), axis=0).shape == (1, 3)


def test_unknown_categories_are_counted() -> None:
    prepared = Preparation.fit(dataset(), TRAIN)
    table = mixed()[:4].with_columns(
        color=pl.Series(["mauve", "violet", "red", None]), site=pl.Series(["s9", "s9", "s1", "s0"])
    )
    assert prepared.unknown_categories(table) == {"color": 1, "site": 2}
    assert prepared.unknown_categories(mixed()) == {}
    x = dict(zip(prepared.feature_names, prepared.transform(table).T, strict=True))
    assert x["color=other"].tolist() == [1, 1, 0, 0]
    assert sum(x[f"site=s{i}"] for i in range(4)).tolist() == [0, 0, 1, 1]
    assert x["site is missing"].tolist() == [0, 0, 0, 0]


def test_many_categories_are_pooled() -> None:
    rng = np.random.default_rng(0)
    level = np.concatenate([rng.integers(0, 60, 3000), rng.integers(60, 10_000, 3000)])
    data = load_dataset({"c": [f"k{i}" for i in level], "y": rng.standard_normal(6000)}, features=["c"])
    prepared = Preparation.fit(data, np.arange(6000))
    x = prepared.transform(data.table)
    assert x.shape[1] == 51
    assert x.sum(axis=1) == pytest.approx(1.0)
    assert x[:, -1].mean() > 0.5
    assert "rare categories count as 'other'" in prepared.notes[0]


def test_a_level_called_other_is_not_mixed_up() -> None:
    values = ["other", "a"] * 20 + ["b"]
    data = load_dataset({"c": values, "y": np.linspace(0, 1, 41)})
    prepared = Preparation.fit(data, np.arange(41))
    assert prepared.feature_names == ("c=a", "c=other", "c=any other")


def test_whole_numbers_and_text_are_the_same_category() -> None:
    data = load_dataset({"c": ["1", "2", "x"] * 20, "y": np.linspace(0, 1, 60)})
    prepared = Preparation.fit(data, np.arange(60))
    assert np.array_equal(
        prepared.transform(pl.DataFrame({"c": [1.0, 2.0]})),
        prepared.transform(pl.DataFrame({"c": ["1", "2"]})),
    )


def test_a_feature_that_does_not_vary_in_training_is_left_out() -> None:
    data = load_dataset({"a": np.arange(40) % 7, "b": [1] * 30 + [9] * 10, "y": np.linspace(0, 1, 40)})
    prepared = Preparation.fit(data, np.arange(30))
    assert prepared.feature_names == ("a",)
    assert prepared.left_out == ("b",)
    assert "Left out b: the same in every training row." in prepared.notes
    with pytest.raises(DataError, match="no feature varies in the 1 training rows"):
        Preparation.fit(data, np.arange(1))


def test_a_number_that_is_the_same_or_missing_says_only_that() -> None:
    data = load_dataset({"a": [2.0, None] * 15 + [50.0] * 10, "y": np.linspace(0, 1, 40)})
    x = Preparation.fit(data, np.arange(30)).transform(data.table)
    assert np.unique(x[:, 0]).tolist() == [0.0]
    assert x[:3, 1].tolist() == [0, 1, 0]


BAD: dict[str, tuple[Any, str]] = {
    "missing column": (
        {"mass": None},
        "no column 'mass', which the model was trained on; their columns are: count",
    ),
    "text as number": (
        {"count": ["1", "many"]},
        "'count' must hold numbers, as in training, but row 2 holds 'many'",
    ),
    "date as number": ({"count": [datetime.date(2024, 1, 1)] * 2}, "'count' must hold numbers.* dates"),
    "infinite": ({"mass": [1.0, float("inf")]}, "'mass' is infinite in row 2"),
    "infinite text": ({"mass": ["1.0", "-inf"]}, "'mass' is infinite in row 2"),
    "number as truth": ({"on": [1, 2]}, "'on' must hold true or false, as in training, but row 2 holds 2"),
    "text as truth": ({"on": ["yes", "maybe"]}, "'on' must hold true or false.*row 2 holds 'maybe'"),
    "date as truth": ({"on": [datetime.date(2024, 1, 1)] * 2}, "'on' must hold true or false.*not dates"),
    "text as date": ({"seen": ["2024-01-01", "soon"]}, "'seen' must hold dates.*row 2 holds 'soon'"),
    "number as date": ({"seen": [1.0, 2.0]}, "'seen' must hold dates, as in training, not numbers"),
    "truth as date": ({"seen": [True, False]}, "'seen' must hold dates, as in training, not truth values"),
    "lists": ({"mass": [[1.0], [2.0]]}, r"'mass' holds list\(float64\), not one value per row"),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_bad_data_at_prediction(change: dict[str, Any], message: str) -> None:
    prepared, table = Preparation.fit(dataset(), TRAIN), mixed()[1:3]
    for name, values in change.items():
        table = table.drop(name) if values is None else table.with_columns(pl.Series(name, values))
    with pytest.raises(DataError, match=message):
        prepared.transform(table)


def test_targets_of_another_table() -> None:
    iris = load_dataset("iris")
    prepared = Preparation.fit(iris, np.arange(0, 150, 2))
    assert np.array_equal(prepared.target_values(iris.table[100:]), iris.y()[100:])
    with pytest.raises(DataError, match=r"row 2 has the class 'virginca'.*Did you mean 'virginica'"):
        prepared.target_values(pl.DataFrame({"species": ["setosa", "virginca"]}))
    with pytest.raises(DataError, match="row 1 has no class in column 'species'"):
        prepared.target_values(pl.DataFrame({"species": pl.Series([None], dtype=pl.String)}))
    with pytest.raises(DataError, match="no column 'species', the target"):
        prepared.target_values(iris.table.drop("species"))
    numbers = Preparation.fit(dataset(), TRAIN)
    assert numbers.target_values(mixed()).shape == (ROWS, 1)
    with pytest.raises(DataError, match="row 2 holds 'high'"):
        numbers.target_values(pl.DataFrame({"y": ["1", "high"]}))


def test_mean_and_scale_of_hard_cases() -> None:
    assert mean_and_scale(np.full(10, 0.1)) == (pytest.approx(0.1), 1.0)
    assert mean_and_scale(np.zeros(3)) == (0.0, 1.0)
    mean, scale = mean_and_scale(np.array([1e300, -1e300]))
    assert (mean, scale) == (0.0, 1e300)
    mean, scale = mean_and_scale(1e9 + np.array([0.0, 1.0]))
    assert (mean, scale) == (pytest.approx(1e9 + 0.5), pytest.approx(0.5))
