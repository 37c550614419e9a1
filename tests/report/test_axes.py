"""Axes show what the figure is about, whatever a bin, a spike or a long name does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.evaluation.cuts import Scan
from shoal.evaluation.topics.overtraining import ClassScores
from shoal.report.figures import learning_curves, overtraining, significance, systematic_band, tornado
from shoal.report.figures.bands import bands
from shoal.report.figures.export import drawing
from shoal.report.figures.networks_tried import HyperparameterPanel, NetworksTried
from shoal.report.figures.networks_tried import draw as draw_networks
from shoal.report.figures.style import COLUMN, WIDE
from shoal.report.figures.validation_metric import ValidationMetric
from shoal.report.figures.validation_metric import draw as draw_metric
from shoal.report.redraw import NARROWEST
from shoal.results import Interval
from shoal.statistics.weighted import KolmogorovSmirnov


def scores(train: list[float], name: str = "signal") -> ClassScores:
    densities = np.array(train)
    return ClassScores(name, densities, 0.1 * abs(densities), densities, 0.1 * abs(densities), KOLMOGOROV)


KOLMOGOROV = KolmogorovSmirnov(0.1, 0.5, 90.0, 40.0)
FLAT = [1.2, 1.0, 0.9, 1.1, 0.8]
PEAKED = [4.4, 0.2, 0.1, 0.15, 0.15]
EDGES = np.linspace(0, 1, 6)


@pytest.mark.parametrize(("densities", "scale"), [(FLAT, "linear"), (PEAKED, "log"), ([*PEAKED[:4], -0.1], "log")])
def test_scores_have_a_logarithmic_axis_where_one_bin_holds_most(densities: list[float], scale: str) -> None:
    shown = overtraining.Scores(EDGES, scores(densities), scores(FLAT, "background"), weighted=True)
    axes = overtraining.draw(shown).axes[0]
    assert axes.get_yscale() == scale
    assert ("below zero" in shown.caption) == (min(densities) < 0)


def test_the_axis_of_the_significance_is_not_set_by_a_spike_behind_the_cut() -> None:
    cuts = np.linspace(0, 1, 101)
    curve = 3 * np.sqrt(cuts) * (cuts < 0.8)
    spike = np.where(np.arange(101) == 95, 400.0, curve)
    scan = Scan(cuts, 1 - cuts, (1 - cuts) ** 2, {"asimov": spike}, 0.9 * spike, 1.1 * spike)
    shown = significance.Significance(scan, scan, "asimov", 0.75, Interval(2.6, 2.3, 2.9), ("validation", "test"))
    assert 2.9 < significance.draw(shown).axes[0].get_ylim()[1] < 5
    assert "above the axis" in shown.caption
    calm = Scan(cuts, 1 - cuts, (1 - cuts) ** 2, {"asimov": curve}, 0.9 * curve, 1.1 * curve)
    assert "above the axis" not in significance.Significance(calm, calm, *list(vars(shown).values())[2:]).caption


def test_ratios_beyond_the_axis_are_marked_by_arrows() -> None:
    values = np.full(20, 100.0)
    error, up = np.full(20, 2.0), np.full(20, 3.0)
    error[4], up[9] = 90.0, 250.0
    band = systematic_band.Band("signal", values, error, up, np.full(20, 3.0))
    shown = systematic_band.SystematicBand("the score", np.linspace(0, 1, 21), (), (band,), (), "rows")
    arrows = {line.get_marker(): line.get_xdata() for line in systematic_band.draw(shown).axes[1].lines}
    np.testing.assert_allclose(arrows["^"], [0.225, 0.475])
    np.testing.assert_allclose(arrows["v"], [0.225])
    assert "arrows" in shown.caption


@pytest.mark.parametrize("error", [0.1, np.nan])
def test_the_grey_band_of_a_tornado_is_in_its_legend(error: float) -> None:
    sides: dict[str, Any] = {side: np.array([0.2]) for side in ("up", "down")}
    noise = {side: np.array([False]) for side in ("up", "down")}
    shown = tornado.Tornado("rmse", 1.0, error, ("scale",), sides, sides, noise, ("",), (0.2, 0.2))
    legend = [text.get_text() for text in tornado.draw(shown).axes[0].get_legend().get_texts()]
    assert ("statistical error" in legend) == ("grey band" in shown.caption) == bool(np.isfinite(error))


@pytest.mark.parametrize("count", [2, 4, 5, 9])
def test_long_names_of_categories_keep_clear_of_each_other(looks: Any, count: int) -> None:
    names = tuple(f"conv2d {8 * i} pool flatten code:{i}" for i in range(count))
    panel = HyperparameterPanel("layers", np.arange(36) % float(count), names)
    shown = NetworksTried(np.linspace(1, 2, 36), np.arange(36) < 3, (panel, panel, panel), 0)
    for width in (NARROWEST / 25.4, COLUMN, WIDE):
        with drawing({}, width):
            assert list(looks.faults(draw_networks(shown))) == []


@pytest.mark.parametrize("kept", [[], [0]])
@pytest.mark.parametrize("epochs", [1, 4])
def test_the_curve_of_one_network_is_seen_kept_or_not_and_after_one_epoch(kept: list[int], epochs: int) -> None:
    metric = bands(np.linspace(0.3, 0.4, epochs)[None], kept)
    axes = draw_metric(ValidationMetric(metric, "accuracy", 1, "target", ())).axes[0]
    lines = [line for line in axes.lines if np.isfinite(line.get_ydata()).any()]
    assert lines
    assert all((line.get_marker() == "o") == (epochs == 1) for line in lines)


def test_the_axis_of_losses_is_not_set_by_networks_that_diverge_at_once() -> None:
    curves = np.linspace(1.0, 0.2, 30) * np.linspace(0.8, 1.2, 12)[:, None]
    lost = np.full((4, 30), np.nan)
    lost[:, 0] = 1e13
    both = (bands(np.concatenate([curves, lost]), [0, 1]), bands(curves, [0, 1]))
    figure = learning_curves.draw(learning_curves.LearningCurves(*both, np.array([[30.0, 0.16]]), 16))
    assert all(axes.get_ylim()[1] < 10 for axes in figure.axes)


def test_a_single_epoch_has_a_whole_number() -> None:
    single = bands(np.array([[2.0]]), [0])
    figure = learning_curves.draw(learning_curves.LearningCurves(single, single, np.zeros((0, 2)), 1, diverged=True))
    shown = [tick for tick in figure.axes[0].get_xticks() if 0.5 <= tick <= 1.5]
    assert shown == [1.0]
