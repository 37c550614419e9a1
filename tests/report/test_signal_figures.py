"""Figures of images and series: what they show, and that every shape of data can be drawn."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from shoal.data.signals import Signals
from shoal.errors import DataError, SettingError
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.examples import SignalRecord, rows_of_classes, rows_of_numbers
from shoal.evaluation.topics.forecast import last_stretch
from shoal.report.figures import figure_numbers, write_figures
from shoal.report.figures.along_time import thinned
from shoal.report.figures.examples import Label, right_and_wrong
from shoal.report.figures.export import drawing
from shoal.report.figures.feature_maps import FeatureMaps
from shoal.report.figures.filters import Filters
from shoal.report.figures.rasters import pictures, shrink, signed
from shoal.report.inside import chosen


def probabilities(said: list[int], sure: list[float]) -> np.ndarray:
    table = np.full((len(said), 3), 0.0)
    for row, (name, share) in enumerate(zip(said, sure, strict=True)):
        table[row] = (1 - share) / 2
        table[row, name] = share
    return table


def test_classes_take_turns_and_the_surest_errors_come_last() -> None:
    answers = probabilities([0, 0, 1, 2, 1, 0], [0.9, 0.8, 0.9, 0.9, 0.5, 0.7])
    assert rows_of_classes(answers, np.array([0, 0, 1, 2, 0, 1])).tolist() == [0, 2, 3, 1, 5, 4]


def test_no_more_than_twelve_rows_are_shown_four_of_them_wrong() -> None:
    rng = np.random.default_rng(0)
    said = rng.integers(0, 3, 90)
    truth = np.where(np.arange(90) < 60, said, (said + 1) % 3)
    rows = rows_of_classes(probabilities(said.tolist(), [0.9] * 90), truth)
    assert len(rows) == len(set(rows.tolist())) == 12
    assert (said[rows] == truth[rows]).tolist() == [True] * 8 + [False] * 4


@pytest.mark.parametrize("count", [1, 2, 5, 100])
def test_values_are_spread_and_the_worst_come_last(count: int) -> None:
    truth = np.random.default_rng(0).permutation(np.arange(float(count)))[:, None]
    mean = truth + 0.1
    mean[0] += 50.0
    rows = rows_of_numbers(mean, truth)
    assert len(set(rows.tolist())) == len(rows) == min(len(rows), 12)
    if count >= 5:
        assert 0 in rows[-4:].tolist()
        spread = truth[rows[:-4], 0] if count == 100 else np.zeros(1)
        assert (np.diff(spread) > 0).all()


def test_the_last_stretch_is_in_the_order_of_time() -> None:
    times = np.array([3.0, 1.0, 2.0, 2.0])
    stretch = last_stretch(np.arange(8.0).reshape(4, 2), np.zeros((4, 2)), times)
    assert stretch.rows.tolist() == [1, 2, 0]
    assert stretch.last.tolist() == [2.0, 4.0, 0.0]


def test_pictures_share_one_scale_and_drop_an_alpha_channel() -> None:
    assert pictures(np.array([[[[0.0]]], [[[4.0]]]])).ravel().tolist() == [0, 255]
    assert pictures(np.zeros((2, 5, 4, 4))).shape == (2, 5, 4, 3)
    assert pictures(np.zeros((2, 5, 4, 7))).shape == (2, 5, 4)
    assert pictures(np.full((1, 2, 2, 1), np.nan)).tolist() == [[[0, 0], [0, 0]]]


def test_zero_is_transparent_and_signs_have_colours() -> None:
    pixels = signed(np.array([[-2.0, 0.0, 1.0]]))
    assert pixels[0, :, 3].tolist() == [255, 0, 128]
    assert pixels[0, 0, 2] > pixels[0, 0, 0]  # blue
    assert pixels[0, 2, 0] > pixels[0, 2, 2]  # vermilion


def test_large_images_shrink_to_means() -> None:
    assert shrink(np.ones((1000, 3, 2)), 100).shape == (100, 1, 2)
    np.testing.assert_allclose(shrink(np.arange(16.0).reshape(4, 4), 2), [[2.5, 4.5], [10.5, 12.5]])


def test_long_lines_keep_their_extremes() -> None:
    line = np.zeros(10_000)
    line[[1234, 8765]] = 9.0, -9.0
    steps, values = thinned(line)
    assert len(steps) <= 400
    assert (values.max(), values.min()) == (9.0, -9.0)
    assert (np.diff(steps) > 0).all()


def test_wrong_examples_have_a_cross_and_not_only_a_colour() -> None:
    wrong, right = Label("a", "b\t98 %", right=False), Label("b", "b\t98 %", right=True)
    assert wrong.said_within(9) == "✗ b · 98 %"
    assert right.said_within(9) == "b · 98 %"
    assert wrong.colour != right.colour
    assert right_and_wrong((right, right, wrong, wrong, wrong, right), 4).tolist() == [0, 1, 2, 3]
    assert right_and_wrong((right, wrong), 6).tolist() == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["images", "long_names", "sizes", "series", "forecast", "labelled", "tracked"])
def test_every_kind_of_data_is_drawn_and_small(cases: dict[str, Record], case: str, tmp_path: Path) -> None:
    elements = write_figures(cases[case], tmp_path)
    assert ("labelled_steps" if case in ("labelled", "tracked") else "saliency") in elements
    assert sum(len(element) for element in elements.values()) < 1_000_000
    for name, element in elements.items():
        ElementTree.fromstring(element)
        assert (tmp_path / "figures" / f"{name}.pdf").stat().st_size > 1000


@pytest.mark.slow
def test_large_noisy_images_in_deep_networks_keep_the_page_small(cases: dict[str, Record], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    record = cases["images"]
    assert record.get(SignalRecord) is not None
    signals = dataclasses.replace(
        record.get(SignalRecord),
        channels=("red", "green", "blue"),
        shape=(300, 300, 3),
        values=rng.integers(0, 256, (12, 300, 300, 3)).astype(np.uint8),
        filters=rng.normal(size=(64, 7, 7, 3)),
        maps=tuple((f"conv2d_{i}", rng.normal(size=(300 >> i, 300 >> i, 64 >> i))) for i in range(5)),
        saliency=rng.random((12, 300, 300, 3)),
    )
    elements = write_figures(record.having(signals), tmp_path)
    assert sum(len(element) for element in elements.values()) < 2_500_000


def test_figures_say_what_they_show(cases: dict[str, Record]) -> None:
    shown = {name: figure.numbers for name, figure in figure_numbers(cases["images"]).items()}
    assert "12 test images" in shown["example_images"].alt
    assert "The filters of the first convolution" in shown["filters"].caption
    assert "the 8 that vary most" in shown["feature_maps"].caption
    assert "Simonyan" in shown["saliency"].caption
    forecast = figure_numbers(cases["forecast"])["forecast"].numbers
    assert (forecast.dates, forecast.time, len(forecast.times)) == (True, "day", 150)
    assert "% of the dots are inside" in forecast.caption
    assert "example_series" not in figure_numbers(cases["forecast"])


@pytest.mark.slow
def test_names_of_channels_and_classes_stay_text(cases: dict[str, Record], tmp_path: Path) -> None:
    record = cases["series"]
    assert record.get(SignalRecord) is not None
    signals = dataclasses.replace(record.get(SignalRecord), channels=("<script>", "$x^2$"))
    data = dataclasses.replace(record[DataRecord], classes=("<b>a</b>", "$y$"))
    elements = write_figures(record.having(signals, data), tmp_path)
    assert "&lt;b&gt;a&lt;/b&gt;" in elements["example_series"]
    assert "<b>" not in "".join(elements.values())


def test_a_gradient_that_is_no_number_is_not_drawn(cases: dict[str, Record]) -> None:
    record = cases["images"]
    assert record.get(SignalRecord) is not None
    signals = dataclasses.replace(record.get(SignalRecord), saliency=np.full((12, 8, 8, 1), np.nan))
    assert "saliency" not in figure_numbers(record.having(signals))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (40, 5, 5, 3), (3, 2, 2, 2, 1), (6, 7, 2), (4, 3, 64), (2, 3, 3, 9)])
def test_filters_of_any_shape_draw_themselves(shape: tuple[int, ...], tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    Filters(values).draw(tmp_path / "filters.png")
    assert (tmp_path / "filters.png").stat().st_size > 500
    assert Filters(values).alt.startswith(f"{shape[0]} filters")


def test_a_figure_is_written_by_the_ending_of_its_path(tmp_path: Path) -> None:
    maps = FeatureMaps(np.zeros((1, 8, 8, 1)), {"conv2d": np.zeros((1, 6, 6, 2))})
    assert maps.draw().axes
    with pytest.raises(SettingError, match=r"must end in one of"):
        maps.draw(tmp_path / "maps.xyz")
    with drawing():
        pass


@pytest.mark.parametrize(
    ("rows", "count"), [(None, 8), (3, 1), (-1, 1), (slice(2, 5), 3), ([0, 9], 2), (range(4), 4), (np.arange(3), 3)]
)
def test_rows_are_chosen_by_place(rows: Any, count: int) -> None:
    signals = Signals("images", np.zeros((10, 2, 2, 1)), ("grey",))
    assert len(chosen(signals, rows)) == count


@pytest.mark.parametrize(("rows", "what"), [(10, "10 asks for a row"), ([0, 99], "not there"), ([], "names no row")])
def test_rows_that_are_not_there_are_refused(rows: Any, what: str) -> None:
    with pytest.raises(DataError, match=what):
        chosen(Signals("images", np.zeros((10, 2, 2, 1)), ("grey",)), rows)


def test_labelled_steps_have_a_figure_of_their_own(cases: dict[str, Record]) -> None:
    for case in ("labelled", "tracked"):
        figures = figure_numbers(cases[case])
        assert "example_series" not in figures
        shown = figures["labelled_steps"].numbers
        assert shown.alt == "6 test series, true and predicted at each step."
        assert [len(one) for one in shown.series] == sorted(len(one) for one in shown.series)
    assert "test steps" in figure_numbers(cases["labelled"])["confusion_matrix"].numbers.alt
    assert "Steps of one series are alike" in figure_numbers(cases["labelled"])["calibration"].numbers.caption
    assert "is a test step" in figure_numbers(cases["tracked"])["predicted_true"].numbers.caption
