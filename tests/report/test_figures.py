"""The numbers behind the figures, and the files that are drawn from them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.best_network import BestMember
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.report.figures import FIGURES, calibration, coverage, figure_numbers, write_figures
from shoal.report.figures.bands import MOST_POINTS, bands, quantiles
from shoal.report.figures.baselines import numbers as baseline_numbers
from shoal.report.figures.calibration import grouped
from shoal.report.figures.export import drawing, inline_svg
from shoal.report.figures.learning_curves import best_epochs
from shoal.report.figures.networks_tried import ceiling
from shoal.report.figures.networks_tried import numbers as tried_numbers
from shoal.report.figures.pulls import density
from shoal.report.figures.residuals import running_median
from shoal.report.figures.style import log_ticks, name_text, new_figure
from shoal.report.figures.targets import rows_with_bars
from shoal.results import Status
from shoal.search.results.importance import HyperparameterImportance

Maker = Callable[..., Record]


def test_quantiles_leave_out_what_is_not_a_number() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(31, 7))
    values[rng.random(values.shape) < 0.4] = np.nan
    expected = np.nanquantile(values, [0.1, 0.25, 0.5, 0.75, 0.9], axis=0)
    np.testing.assert_allclose(quantiles(values), expected)


def test_bands_stop_with_the_last_network_and_count_those_in_training() -> None:
    curves = np.array([[4.0, 3.0, np.nan, np.nan], [6.0, np.inf, 5.0, np.nan]])
    shown = bands(curves, kept=[1])
    assert shown.epochs.tolist() == [1, 2, 3]
    assert shown.networks.tolist() == [2, 1, 1]
    assert shown.median.tolist() == [5.0, 3.0, 5.0]
    np.testing.assert_array_equal(shown.kept, [[6.0, np.nan, 5.0]])


def test_bands_end_where_less_than_a_tenth_of_the_networks_is_left() -> None:
    curves = np.full((40, 3), 1.0)
    curves[3:, 2] = np.nan
    assert bands(curves, []).reliable == 2


def test_long_curves_are_thinned_with_both_ends() -> None:
    shown = bands(np.linspace(2, 1, 5000)[None, :], [0])
    assert len(shown.epochs) == MOST_POINTS
    assert (shown.epochs[0], shown.epochs[-1]) == (1, 5000)


def test_the_best_epoch_is_the_lowest_point() -> None:
    curves = np.array([[3.0, 1.0, 2.0], [np.nan, np.nan, np.nan], [2.0, 2.5, 0.5]])
    assert best_epochs(curves).tolist() == [[2.0, 1.0], [3.0, 0.5]]


def test_the_confusion_matrix_counts_weights_and_shares_rows(record_of: Maker) -> None:
    record = record_of(classes=("a", "b", "c"), test=4)
    rows = dataclasses.replace(
        record[PredictedTestRows],
        truth=np.array([0, 0, 1, 1]),
        probabilities=np.eye(3)[[0, 1, 1, 1]],
        weights=np.array([3.0, 1.0, 1.0, -0.5]),
    )
    shown = figure_numbers(record.having(rows))["confusion_matrix"].numbers
    assert shown.counts.tolist() == [[3.0, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]]
    assert shown.shares[0].tolist() == [0.75, 0.25, 0.0]
    assert np.isnan(shown.shares[2]).all()
    assert "Sums of weights" in shown.caption


def test_calibration_groups_have_equal_size_and_wilson_intervals() -> None:
    probability = np.linspace(0.05, 0.95, 20)
    shown = grouped(probability, probability > 0.5, np.ones(20), "b")
    assert shown.rows.tolist() == [10, 10]
    assert shown.observed.tolist() == [0.0, 1.0]
    np.testing.assert_allclose(shown.predicted, [probability[:10].mean(), probability[10:].mean()])
    np.testing.assert_allclose(shown.high[0], 0.27753, atol=1e-5)


def test_calibration_is_left_out_where_weights_are_negative(record_of: Maker) -> None:
    record = record_of(weights=True)
    assert (np.asarray(record[PredictedTestRows].weights) < 0).any()
    assert "calibration" not in figure_numbers(record)


def test_what_probabilities_were_before_calibration_is_shown_too(record_of: Maker) -> None:
    record = record_of(test=60)
    shown = calibration.numbers(record)
    assert shown is not None
    assert shown.before is not None
    assert "before calibration" in shown.caption
    assert record.get(ErrorBars) is not None
    as_averaged = dataclasses.replace(record[ErrorBars], calibration="none")
    shown = calibration.numbers(record.having(as_averaged))
    assert shown is not None
    assert shown.before is None


def test_coverage_is_shown_at_all_levels_of_numbers(record_of: Maker) -> None:
    assert coverage.numbers(record_of()) is None
    shown = coverage.numbers(record_of(classes=(), targets=("y",)))
    assert shown is not None
    assert shown.levels.tolist() == [0.5, 0.68, 0.9, 0.95]
    assert (shown.low <= shown.observed).all()


@pytest.mark.slow
def test_error_bars_are_thinned_and_the_caption_says_so(record_of: Maker) -> None:
    record = record_of(classes=(), targets=("y",), test=3000, networks=3, epochs=5)
    shown = figure_numbers(record)["predicted_true"].numbers
    assert len(rows_with_bars(shown.panels[0])) == 300
    assert "300 of 3,000 rows" in shown.caption
    panel = shown.panels[0]
    assert record[PredictedTestRows].std is not None
    np.testing.assert_allclose(panel.residual / panel.pull, record[PredictedTestRows].std[:, 0])


def test_every_target_has_a_panel(record_of: Maker) -> None:
    names = ("mass", "spin", "charge")
    shown = figure_numbers(record_of(classes=(), targets=names, networks=2, epochs=4))
    assert tuple(p.name for p in shown["predicted_true"].numbers.panels) == names
    assert shown["pulls"].numbers.names == names
    assert "confusion_matrix" not in shown


def test_pulls_make_a_histogram_of_area_one() -> None:
    edges = np.linspace(-4.5, 4.5, 10)
    heights = density(np.array([0.0, 0.1, 99.0, np.nan]), None, edges)
    np.testing.assert_allclose((heights * np.diff(edges)).sum(), 1.0)
    np.testing.assert_allclose(heights[-1], 1 / 3)


def test_the_running_median_needs_rows() -> None:
    assert running_median(np.arange(10.0), np.arange(10.0)).shape == (2, 0)


def test_the_ensemble_is_the_first_of_the_models(record_of: Maker) -> None:
    record = record_of(networks=2, epochs=4)
    shown = baseline_numbers(record)
    assert shown is not None
    assert shown.models[0] == "shoal's ensemble"
    assert [p.metric for p in shown.panels] == ["log_loss", "accuracy"]
    score = record[BaselineScores].scores["gradient_boosting"]["log_loss"]
    assert shown.panels[0].values[3].tolist() == [score.value, score.low, score.high]


def test_networks_are_shown_against_what_mattered_most(record_of: Maker) -> None:
    record = record_of(networks=24, kept=3)
    shown = tried_numbers(record)
    assert shown is not None
    assert [p.name for p in shown.panels] == ["learning_rate", "activation", "l2"]
    assert shown.without_score == sum(n.status is Status.DIVERGED for n in record[Candidates].networks) == 2
    assert "2 networks without a finite score" in shown.caption
    assert int(shown.kept.sum()) == 3
    categories = shown.panels[1].categories
    middle = [np.median(shown.score[shown.panels[1].x == i]) for i in range(len(categories))]
    assert middle == sorted(middle)


def test_with_folds_a_point_is_a_candidate_and_curves_are_those_of_the_networks(folded_record_of: Maker) -> None:
    record = folded_record_of(3, 2, networks=24, epochs=8)
    shown = tried_numbers(record)
    assert shown is not None
    np.testing.assert_allclose(shown.score, np.arange(4) + 1.25)
    assert shown.kept.tolist() == [True, True, False, False]
    assert shown.caption.startswith("Each point is a candidate")
    assert "the mean over 6 networks" in shown.caption
    assert shown.alt.startswith("Score of 4 candidates")
    curves = figure_numbers(record)["learning_curves"].numbers
    assert (curves.networks, len(curves.best), len(curves.validation.kept)) == (24, 12, 12)
    assert "the fold that it did not learn from" in curves.caption
    assert (
        "One of the networks of the best candidate, number 0" in figure_numbers(record)["best_network"].numbers.caption
    )


def test_a_handful_of_numbers_become_categories_in_their_order(record_of: Maker) -> None:
    record, dropout = record_of(networks=24, kept=3), HyperparameterImportance("dropout", 0.5, "")
    record = record.having(dataclasses.replace(record[Candidates], hyperparameters=(dropout,)))
    shown = tried_numbers(record)
    assert shown is not None
    assert shown.panels[0].categories == ("0", "0.1", "0.2", "0.3")
    assert shown.panels[0].x[:4].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_a_single_network_has_nothing_to_compare(record_of: Maker) -> None:
    assert "networks_tried" not in figure_numbers(record_of(networks=1, kept=1, epochs=4))


def test_a_hopeless_network_does_not_squeeze_the_others() -> None:
    score = np.append(np.linspace(1, 2, 30), 1e9)
    assert ceiling(score) < 4


@pytest.mark.parametrize(("low", "high"), [(1e-9, 1e9), (0.9, 1.1), (3.1, 4.9), (0.05, 7.0)])
def test_log_axes_have_few_labels_inside(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert 1 <= len(ticks) <= 6
    assert all(low <= t <= high for t in ticks)


def test_names_are_made_safe_to_draw() -> None:
    assert name_text("a\x07b\nc $x$") == "a b c $x$"
    assert len(name_text("x" * 99, most=10)) == 10


@pytest.mark.slow
def test_every_figure_is_drawn_in_one_of_the_tasks(record_of: Maker, cases: dict[str, Record], tmp_path: Path) -> None:
    classes = write_figures(record_of(networks=3, epochs=5), tmp_path / "c")
    values = write_figures(record_of(classes=(), targets=("y",), networks=3, epochs=5), tmp_path / "r")
    others = ("images", "series", "forecast", "labelled", "autoencoder", "image_autoencoder", "events", "folds")
    signals = {name for case in others for name in figure_numbers(cases[case])}
    assert set(classes) | set(values) | signals == set(FIGURES)
    names = sorted(p.name for p in (tmp_path / "c" / "figures").iterdir())
    assert names == sorted(
        [*(f"{name}.{end}" for name in classes for end in ("csv", "pdf", "svg")), "numbers.safetensors"]
    )


@pytest.mark.slow
def test_files_and_page_keep_hostile_names_as_text(cases: dict[str, Record], tmp_path: Path) -> None:
    elements = write_figures(cases["hostile"], tmp_path)
    for name, element in elements.items():
        ElementTree.fromstring(element)
        ElementTree.parse(tmp_path / "figures" / f"{name}.svg")
        assert "<script" not in element
    assert "&lt;script&gt;" in elements["confusion_matrix"]
    assert "$x^2$" in elements["confusion_matrix"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["many_classes", "thousand"])
def test_large_runs_make_small_figures(cases: dict[str, Record], case: str, tmp_path: Path) -> None:
    elements = write_figures(cases[case], tmp_path)
    assert sum(len(e) for e in elements.values()) < 700_000


@pytest.mark.slow
def test_curves_of_nothing_but_nan_are_left_out(record_of: Maker, tmp_path: Path) -> None:
    record = record_of(networks=2, kept=1, epochs=3)
    nothing = np.full((2, 3), np.nan)
    curves = dataclasses.replace(record[Curves], train_loss=nothing, validation_loss=nothing)
    assert "learning_curves" not in figure_numbers(record.having(curves))
    partly = dataclasses.replace(record[Curves], train_loss=nothing)
    assert "learning_curves" in write_figures(record.having(partly), tmp_path)


@pytest.mark.slow
def test_one_epoch_can_be_drawn(record_of: Maker, tmp_path: Path) -> None:
    assert "learning_curves" in write_figures(record_of(networks=3, kept=2, epochs=1), tmp_path)


def test_svg_in_the_page_follows_its_colours_and_shares_no_id() -> None:
    with drawing():
        figure = new_figure(1.0)
        figure.text(0.5, 0.5, "label #1b1f24")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.plot([0, 1], [0, 1], "o")
        from shoal.report.figures.export import svg_text

        element = inline_svg(svg_text(figure), "one", 'say "so"')
    assert "currentColor" in element
    assert "label #1b1f24" in element
    assert 'aria-label="say &quot;so&quot;"' in element
    assert "http" not in element
    assert "DejaVu" not in element
    ids = re.findall(r' id="([^"]+)"', element)
    assert ids
    assert all(i.startswith("one-") for i in ids)
    assert set(re.findall(r'href="#([^"]+)"', element)) <= set(ids)


@pytest.mark.slow
def test_weights_signs_included_reach_the_scatter(record_of: Maker, tmp_path: Path) -> None:
    record = record_of(classes=(), targets=("y",), weights=True, test=60, networks=2, epochs=4)
    assert "var(--vermilion)" in write_figures(record, tmp_path)["predicted_true"]


def test_one_output_for_two_classes_is_named_after_the_second(record_of: Maker) -> None:
    from shoal.networks import Network
    from shoal.report.figures import best_network
    from shoal.streams import Stream

    network = Network.parse("4 3:relu 1:sigmoid")
    record = record_of(classes=("background", "signal"), networks=4, kept=2, epochs=5)
    record = record.having(BestMember(network, network.initialize(Stream(0))))
    shown = best_network.numbers(record)
    assert shown is not None
    assert shown.class_names == ("signal",)
    assert "signal" in {text.get_text() for axes in best_network.draw(shown).axes for text in axes.texts}


def test_training_and_test_scores_lie_side_by_side_and_their_numbers_in_a_table(
    cases: dict[str, Record], tmp_path: Path
) -> None:
    import polars as pl

    shown = figure_numbers(cases["events"])["overtraining"].numbers
    assert "D = " in shown.caption
    write_figures(cases["events"], tmp_path)
    table = pl.read_csv(tmp_path / "figures" / "overtraining.csv")
    np.testing.assert_allclose(table["signal_test"], shown.signal.test)
    np.testing.assert_allclose(table["background_train_error"], shown.background.train_error)
    assert "overtraining" not in figure_numbers(cases["iris"])
