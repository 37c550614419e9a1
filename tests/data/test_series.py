"""Series from `.ts` files, long tables and arrays: what is read, filled in, padded, described and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.data import Preparation, ReadOptions, load_dataset, load_with_test, split_rows
from shoal.data.describe import describe
from shoal.data.readers import signal_reader
from shoal.data.series.cutting import cut_again
from shoal.data.series.recipe import Recipe
from shoal.data.signals import PADDED, SignalPreparation, Signals
from shoal.errors import DataError, SettingError

HEADER = "# made by hand\n@problemName test\n@timeStamps false\n@univariate true\n@classLabel true a b\n@data\n"


def written(folder: Path, content: str, name: str = "made.ts") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def read(path: Path) -> tuple[pl.DataFrame, Signals]:
    reader = signal_reader(path, ReadOptions())
    assert reader is not None
    read = reader.read(path, ReadOptions())
    return read.table, read.signals


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    channels=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], channels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    series = [rng.standard_normal((length, channels)).astype(np.float32) for length in lengths]
    labels = rng.choice(["a", "b"], len(series)).tolist()
    for one in series:
        one[rng.random(one.shape) < 0.1] = np.nan
    words = [
        ":".join(",".join("?" if np.isnan(v) else repr(float(v)) for v in line) for line in one.T) for one in series
    ]
    content = HEADER + "".join(f"{word}:{label}\n" for word, label in zip(words, labels, strict=True))
    table, signals = read(written(tmp_path_factory.mktemp("ts"), content))
    assert table["class"].to_list() == labels
    assert signals.values.shape == (len(series), max(lengths), channels)
    found = [len(one) for one in series] if signals.lengths is None else signals.lengths.tolist()
    assert found == lengths
    for one, values in zip(series, signals.values, strict=True):
        np.testing.assert_array_equal(values[: len(one)], one)


def test_a_target_that_is_measured_and_series_without_a_label(tmp_path: Path) -> None:
    table, _ = read(written(tmp_path, "@TargetLabel TRUE\n@DATA\n1,2:0.5\n3,NaN:-2\n"))
    assert table["target"].to_list() == [0.5, -2.0]
    table, signals = read(written(tmp_path, "@classLabel false\n@data\n1,2:3,4\n"))
    assert table.columns == ["row"]
    assert signals.channels == ("channel 0", "channel 1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("export const x = 1\n", "line 1: expected a line that begins with @"),
        ("@classLabel true a\n", "has no line @data"),
        (HEADER, "has no series behind @data"),
        (HEADER + "1,2\n", "line 7: expected values, then ':' and the class"),
        (HEADER + "1,2:a\n1,x:b\n", "line 8: value 2 must be a number or '\\?', got 'x'"),
        (HEADER + "1,,2:a\n", "line 7: value 2 must be a number or '\\?', got ''"),
        (HEADER + "1,2:c\n", "line 7: the class 'c' is none of those after @classLabel: a, b"),
        (HEADER + "1,2:1:a\n", "line 7: the channels of a series must be equally long, got 2, 1"),
        (HEADER + "1,2:a\n\n1,2:3,4:a\n", "line 9: 2 channels, but the first series has 1"),
        ("@timeStamps true\n@data\n", "line 1: values with timestamps are not read"),
        ("@targetLabel true\n@data\n1:2\n1:much\n", "the target of series 2 must be a number, got 'much'"),
    ],
)
def test_a_ts_file_that_cannot_be_used(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, content))


def test_a_ts_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_dataset(tmp_path / "none.ts")


def test_missing_values_are_filled_in_with_a_note(tmp_path: Path) -> None:
    lines = ["?,1,?,3,?:a\n", *["1,2,3,4,5:b\n"] * 6, *["1,2:a\n"] * 6]
    dataset = load_dataset(written(tmp_path, HEADER + "".join(lines)))
    assert dataset.signals is not None
    assert dataset.signals.values[0, :, 0].tolist() == [1, 1, 2, 3, 3]
    assert "Filled in 3 missing values of the series, linearly in time." in dataset.notes
    summary = describe(dataset).signals
    assert summary is not None
    assert summary.lines() == ["series of 2 to 5 steps with 1 channel, float32", "value: 1 … 5, mean 2.511"]
    preparation = Preparation.fit(dataset, np.arange(13))
    x = preparation.transform(dataset.inputs(np.arange(13)))
    assert (x[7:, 2:] == PADDED).all()
    assert (x[:7] > PADDED).all()
    gappy = Signals("series", np.array([[[1.0], [np.nan], [3.0]]]), ("value",))
    assert preparation.signals is not None
    assert np.isfinite(preparation.signals.transform(gappy)).all()


@pytest.mark.parametrize(("value", "message"), [(np.nan, "no value is known"), (np.inf, "step 1 is infinite")])
def test_a_channel_that_cannot_be_filled_in(value: float, message: str) -> None:
    x = np.zeros((12, 4, 2))
    x[3, :, 1] = value
    with pytest.raises(DataError, match=f"series 4, channel 'channel 1': {message}"):
        load_dataset((x, np.arange(12) * 0.5))


def long_table(series: int = 12) -> pl.DataFrame:
    """Series `s0`, `s1`, … of 3, 4, 5, 3, … steps, their rows in no order."""
    rows = [
        {"run": f"s{i}", "t": 0.5 * k, "v": 10.0 * i + k, "w": float(k % 2), "kind": "ab"[i % 2], "where": f"g{i // 2}"}
        for i in range(series)
        for k in range(3 + i % 3)
    ]
    return pl.DataFrame(rows)[np.random.default_rng(1).permutation(len(rows))]


def test_a_long_table_becomes_one_row_for_each_series() -> None:
    dataset = load_dataset(long_table(), target="kind", series="run", time="t", group="where")
    assert dataset.rows == 12
    assert dataset.signals is not None
    assert dataset.signals.channels == ("v", "w")
    for i, name in enumerate(dataset.table["run"].to_list()):
        number = int(name[1:])
        length = 3 + number % 3
        assert dataset.signals.lengths is not None
        assert dataset.signals.lengths[i] == length
        assert dataset.signals.values[i, :length, 0].tolist() == [10.0 * number + k for k in range(length)]
        assert dataset.table["kind"][i] == "ab"[number % 2]
    assert dataset.roles.id == "run"
    assert "The rows were sorted by 't'." in dataset.notes
    split = split_rows(dataset)
    groups = dataset.table["where"].to_numpy()
    assert not set(groups[split.train]) & set(groups[split.test])


def test_the_recipe_of_a_long_table_survives_and_gathers_other_tables() -> None:
    dataset = load_dataset(long_table(), target="kind", series="run", time="t", ignore="where")
    fitted = Preparation.fit(dataset, np.arange(12))
    preparation = Preparation.from_dict(fitted.to_dict())
    assert preparation.recipe == fitted.recipe == Recipe(("kind",), ("v", "w"), "t", "run")
    new = long_table(3).drop("kind")
    table, signals = cut_again(new, preparation.recipe)
    assert sorted(table["run"].to_list()) == ["s0", "s1", "s2"]
    assert preparation.transform(signals).shape == (3, 5, 2)
    table, _ = cut_again(long_table(3), preparation.recipe, known=True)
    assert preparation.target_values(table).tolist() == [int(n[1:]) % 2 for n in table["run"]]
    with pytest.raises(DataError, match="no column 'w', which series are made of"):
        cut_again(new.drop("w"), preparation.recipe)


def test_series_of_the_same_name_in_the_test_file_are_others() -> None:
    dataset, test = load_with_test(long_table(), long_table(4), target="kind", series="run", time="t", ignore="where")
    assert (dataset.rows, test.tolist()) == (16, [12, 13, 14, 15])


def test_test_series_may_be_longer(tmp_path: Path) -> None:
    first = written(tmp_path, HEADER + "1,2:a\n3,4:b\n" * 6)
    second = written(tmp_path, HEADER + "1,2,3:a\n1:b\n", "test.ts")
    dataset, test = load_with_test(first, second)
    assert dataset.signals is not None
    assert dataset.signals.shape == (3, 1)
    assert dataset.signals.lengths is not None
    assert dataset.signals.lengths[test].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (
            {"kind": ["a"] * 10 + ["b"]},
            {},
            r"column 'kind' must hold one value for each series, but of series 'y' row 6",
        ),
        ({"t": [0.0] * 11}, {"time": "t"}, "column 't' holds '0.0' in rows 1 and 2 of series 'x'; drop one"),
        ({"t": [None, *range(10)]}, {"time": "t"}, "column 't' must hold times, but row 1 holds nothing"),
        ({"run": [None] + ["x"] * 10}, {}, "column 'run' must name the series of each row, but row 1 holds nothing"),
        ({"v": ["q"] * 5 + ["r"] * 6}, {}, "no column of numbers is left to make a series of"),
        ({}, {"series": "walk"}, "no column 'walk' for the series"),
        ({}, {"series": "kind"}, "column 'kind' is given as target and as series; give it one role"),
        ({}, {"features": "run2"}, "no column 'run2' for the role feature"),
        ({}, {}, "the table has 2 series; at least 10 are needed"),
    ],
)
def test_a_long_table_that_cannot_be_used(change: dict, arguments: dict, message: str) -> None:
    columns = {"run": ["x"] * 5 + ["y"] * 6, "v": [*range(11)], "kind": ["a"] * 5 + ["b"] * 6}
    with pytest.raises(DataError, match=message):
        load_dataset({**columns, **change}, **{"target": "kind", "series": "run", **arguments})


def test_settings_that_need_a_window() -> None:
    with pytest.raises(SettingError, match="horizon needs a window"):
        load_dataset(long_table(), horizon=2)
    with pytest.raises(SettingError, match="season needs a window"):
        load_dataset(long_table(), season=2)
    with pytest.raises(DataError, match="holds series already"):
        load_dataset("chirps", window=3)


def test_series_of_another_kind_than_in_training() -> None:
    signals = Signals("series", np.zeros((4, 5, 2)), ("a", "b"))
    preparation = SignalPreparation.fit(signals, np.arange(4), "standard")
    with pytest.raises(DataError, match="series of 5 steps, got 6"):
        preparation.transform(Signals("series", np.zeros((1, 6, 2)), ("a", "b")))


def test_the_target_is_not_the_column_of_the_series() -> None:
    table = long_table().select("v", "kind", "run")
    assert load_dataset(table, series="run").targets == ("kind",)
    assert load_dataset(table.sort("run", "v"), series="run", window=2).targets == ("v",)
