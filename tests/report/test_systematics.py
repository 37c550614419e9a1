"""Variations as people read them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.evaluation.systematics.observables import Sample, of_numbers, several_classes, two_classes
from shoal.evaluation.systematics.shifts import (
    Systematics,
    VariationEffect,
    effect_of,
    errors_of,
    measure,
    shift_between,
)
from shoal.evaluation.systematics.variations import read_variations
from shoal.report.figures import systematic_band, tornado
from shoal.report.figures.export import drawing, svg_text
from shoal.report.figures.kept import kept
from shoal.report.systematics import (
    remarks,
    shifts_rows,
    systematics_lines,
    totals_rows,
    with_error,
    write_systematics,
)
from shoal.statistics.significance import Yields

HOSTILE = "<b>$x$\n very long name of a variation that nobody can read in a figure"


def made(kind: str, count: int = 3, rows: int = 300, *, bins: int = 8) -> Systematics:
    """Return variations of made-up rows, the first of them without any effect."""
    rng = np.random.default_rng(5)
    truth = np.arange(rows) % (3 if kind == "classes" else 2)
    z = 2 * (truth - 0.5) + rng.normal(size=rows)
    weights = np.where(rng.random(rows) < 0.1, -1.0, 1.0)

    def sample(shift: float) -> Sample:
        if kind == "numbers":
            values = np.column_stack([z, -z])
            return Sample(values + 0.3 * rng.normal(size=values.shape), values + shift, weights, weights, values)
        score = 1 / (1 + np.exp(-z - shift))
        guess = np.column_stack([1 - score, score])
        if kind == "classes":
            guess = np.column_stack([0.5 * (1 - score), score, 0.5 * (1 - score)])
        return Sample(truth, guess, weights, weights, guess)

    nominal = sample(0.0)
    looked: Any = {
        "numbers": lambda: of_numbers(nominal, ("E [GeV]", "p"), bins),
        "classes": lambda: several_classes(nominal, ("a", "b", HOSTILE)),
        "signal": lambda: two_classes(nominal, ("b", "s"), 1, bins, 0.6, Yields(30.0, 400.0, 0.1)),
    }[kind]()
    known = measure(looked, nominal, 0)
    names = [HOSTILE, *(f"v{number}" for number in range(1, count))]
    variations = read_variations({name: {"columns": "x", "smear": 1.0} for name in names})
    found: list[VariationEffect] = []
    for number, variation in enumerate(variations):
        sides: Any = {"up": shift_between(known, measure(looked, sample(0.2 * number), 0), paired=True)}
        if number % 2:
            sides["down"] = shift_between(known, measure(looked, sample(0.3 * number), 1), paired=False)
        found.append(effect_of(variation, known, sides, same_rows=number % 2 == 0, changed=number > 0))
    errors = errors_of(looked, nominal, known)
    main = {"numbers": "bias of p", "classes": "log_loss", "signal": "significance"}[kind]
    words = "30 signal and 400 ± 10 % background events" if kind == "signal" else ""
    cut = 0.6 if kind == "signal" else None
    return Systematics(looked, known.values, errors, tuple(found), rows, "rows given", main, cut, words, weighted=True)


def test_the_tables_say_what_is_known() -> None:
    found = dataclasses.replace(made("signal"), main="signal_efficiency")
    rows = shifts_rows(found)
    assert [row[0] for row in rows][-1] == HOSTILE
    assert rows[-1][2:] == ("0", "0", "changes nothing")
    said = {row[0]: row[4] for row in rows}
    assert "same way on both sides" in said["v1"]
    assert "other rows" in said["v1"]
    assert said["v2"].endswith("down mirrored")
    totals = dict((row[0], row[1:]) for row in totals_rows(found))
    assert totals["significance"][1].startswith("± ")
    assert totals["significance"][2].startswith("+")
    lines = " ".join(systematics_lines(found))
    assert "3 variations of 300 rows given" in lines
    assert "30 signal and 400 ± 10 % background events" in lines
    assert "the larger counts on that side" in lines


def test_remarks_on_noise() -> None:
    found = made("signal")
    (effect,) = (one for one in found.effects if one.name == "v2")
    noise = np.flatnonzero(effect.noise & (effect.sides["up"].shift != 0))
    if len(noise):
        assert remarks(effect, int(noise[0])).startswith("compatible with no shift")
    sure = int(np.flatnonzero(~effect.noise)[0])
    assert "compatible" not in remarks(effect, sure)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1234.5, 12.0, "1,234 ± 12"),
        (0.123456, 0.00346, "0.1235 ± 0.0035"),
        (-2.0, 0.5, "−2.00 ± 0.50"),
        (3.2e-7, 1e-7, "3.20 × 10⁻⁷ ± 1.0 × 10⁻⁷"),
        (1.0, float("nan"), "1.00 ± –"),
    ],
)
def test_values_are_as_precise_as_their_errors(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "names"), [("signal", ["band"]), ("classes", ["band"]), ("numbers", ["band_1", "band_2"])]
)
def test_files_hold_the_numbers_of_the_figures(kind: str, names: list[str], tmp_path: Path) -> None:
    found = made(kind)
    written = write_systematics(found, tmp_path / "s", ("a", "b", HOSTILE))
    expected = {f"{name}.{end}" for name in ("tornado", *names) for end in ("svg", "pdf", "csv")}
    assert {path.name for path in written} == {*expected, "shifts.csv", "bins.csv", "systematics.json"}
    assert all(path.is_file() for path in written)
    table = pl.read_csv(tmp_path / "s" / "tornado.csv")
    assert table["variation"].to_list()[-1] == "total"
    assert table["shift_up"].to_list()[-1] == pytest.approx(found.up[found.at(found.main)])
    band = pl.read_csv(tmp_path / "s" / f"{names[0]}.csv")
    one = systematic_band.of(found, ("a", "b", HOSTILE))[names[0]].histograms[0]
    assert band[one.name].to_list() == pytest.approx(one.values.tolist())
    assert band[f"{one.name}_up"].to_list() == pytest.approx(one.up.tolist())
    assert pl.read_csv(tmp_path / "s" / "shifts.csv").height == found.frame.height


def test_figures_are_the_same_each_time_and_no_name_becomes_markup() -> None:
    with drawing():
        for _, (shown, draw) in figures(made("classes")).items():
            first = svg_text(draw(shown))
            assert first == svg_text(draw(shown))
            assert "<b>" not in first


def figures(found: Systematics) -> dict[str, tuple[Any, Any]]:
    drawn: dict[str, tuple[Any, Any]] = {"tornado": (tornado.of(found), tornado.draw)}
    drawn |= {name: (one, systematic_band.draw) for name, one in systematic_band.of(found, ("a", "b", "c")).items()}
    return drawn


def test_captions_and_alternatives_say_what_is_shown() -> None:
    shown = tornado.of(made("signal", count=30), "roc_auc")
    assert shown.quantity == "roc_auc"
    assert "The 25 largest of 30 are shown" in shown.caption
    assert "Outlined bars mirror" in shown.caption
    assert "30 variations" in shown.alt
    band = systematic_band.of(made("signal"))["band"]
    assert band.caption.startswith("Expected events in bins of the score")
    assert [one.name for one in band.histograms] == ["s", "b"]
    assert band.histograms[0].values.sum() == pytest.approx(30.0)
    profile = systematic_band.of(made("numbers"))["band_1"]
    assert [one.name for one in profile.profiles] == ["bias", "rmse"]
    assert "bias and RMSE" in profile.caption


@pytest.mark.slow
def test_a_figure_of_many_variations_and_of_none_that_moves() -> None:
    with drawing():
        for found in (made("signal", count=30), made("signal", count=1), made("numbers", count=1)):
            for shown, draw in figures(found).values():
                height = draw(shown).get_size_inches()[1]
                assert 1.0 < height < 12.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["signal", "classes", "numbers"])
def test_figures_hold_what_every_figure_promises(looks: Any, kind: str, tmp_path: Path) -> None:
    write_systematics(made(kind), tmp_path, ("a", "b", HOSTILE))
    found = []
    for name, figure in kept(tmp_path).items():
        found += [f"{name}: {fault}" for fault in looks.broken_promises(figure, tmp_path / "again")]
    assert not found
