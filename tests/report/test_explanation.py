"""Explanations as people read them: tables and figures of made-up numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from shoal.evaluation.explanation.attribution import Attribution
from shoal.evaluation.explanation.dependence import Dependence, EffectCurve
from shoal.evaluation.explanation.explained import Explanation
from shoal.evaluation.explanation.importance import ImportanceTable
from shoal.evaluation.explanation.interactions import Interaction, Interactions
from shoal.evaluation.explanation.scores import Estimate
from shoal.evaluation.record import Record
from shoal.report.explanation import (
    attribution_lines,
    attribution_table,
    effects_table,
    importance_lines,
    importance_table,
    interactions_table,
    notes,
    with_error,
    write_explanation,
)
from shoal.report.figures import attribution, importance, interactions, partial_dependence
from shoal.report.figures.kept import kept
from shoal.report.topics.importance import sections

HOSTILE = "<script>$x^2$"


def effect(grid: int, outputs: int, data: bool = False) -> EffectCurve:
    mean = np.linspace(0.1, 0.9, grid)[:, None] * np.ones(outputs)
    return EffectCurve(mean, 0.05 + 0 * mean, 0.02 + 0 * mean, 0.03 + 0 * mean if data else None)


def number(column: str, outputs: tuple[str, ...] = ("y",), together: tuple[str, ...] = ()) -> Dependence:
    grid, curves = np.linspace(0, 1, 9), np.ones((5, 9, len(outputs)))
    parts = effect(9, len(outputs), data=True), effect(9, len(outputs), data=True)
    level = 0.5 * np.ones(len(outputs))
    return Dependence(column, "number", grid, np.ones(9), outputs, *parts, level, grid, 2, together, curves)


def category(
    column: str, names: tuple[str, ...], kind: str = "category", outputs: tuple[str, ...] = ("y",)
) -> Dependence:
    grid = names if kind == "category" else np.asarray([0.0, 1.0])
    counts, level = np.arange(len(grid), 0, -1.0), 0.5 * np.ones(1)
    return Dependence(column, kind, grid, counts, ("y",), effect(len(grid), 1, data=True), None, level, np.empty(0))


def attributed(columns: int = 20) -> Attribution:
    parts = np.linspace(-1, 1, columns)
    names = (*(f"column {i}" for i in range(columns - 1)), HOSTILE)
    start = "the mean over 24 validation rows"
    errors = 0.1 + 0 * parts, 0.01 + 0 * parts
    return Attribution(
        2, 17, "shapley", "s", names, ("1",) * columns, parts, *errors, 0.9, 0.02, 0.9 - parts.sum(), start
    )


def explanation(**changes: object) -> Explanation:
    names = tuple(f"a long name {i}" for i in range(15))
    effects = (number("E [GeV]", together=("T",)), category("kind", names), category("flag", (), "boolean"))
    pairs = tuple(
        Interaction(("E [GeV]", other), Estimate(0.3, 0.1), Estimate(0.02, 0.01)) for other in ("kind", HOSTILE)
    )
    found = Explanation("run-1", "24 validation rows", None, effects, Interactions(pairs, 24, ("y",)), (), ("a note",))
    return replace(found, **changes)  # type: ignore[arg-type]


def test_numbers_have_the_digits_of_their_errors() -> None:
    assert with_error(-0.02345, 0.0011) == "−0.0234 ± 0.0011"
    assert with_error(3.0e-9, 1.0e-9) == "3.00 × 10⁻⁹ ± 1.0 × 10⁻⁹"
    assert with_error(2.0e9, 1.0e8) == "2.00 × 10⁹ ± 1.0 × 10⁸"
    assert with_error(0.5, 0.0) == "0.500"


@pytest.mark.slow
def test_the_columns_of_a_group_stand_below_it(cases: dict[str, Record]) -> None:
    found = cases["events"].get(ImportanceTable)
    assert found is not None
    header, rows = importance_table(found)
    assert header == ("permuted", "rise of the log-loss", "fall of the accuracy")
    assert [row[0].endswith("(alone)") for row in rows] == [False, True, True, False, False]
    assert rows[0][1] == "1.300 ± 0.055"
    assert "misleads" in importance_lines(found)[1]
    assert len(next(sections(cases["events"])).blocks[0].blocks[1].blocks[0].rows) == 5  # type: ignore[attr-defined]
    assert list(sections(cases["iris"])) == []
    shown = importance.numbers(cases["events"])
    assert shown is not None
    assert shown.table()["alone"] == [False] * 3 + [True] * 2


def test_effects_tell_where_the_answer_is_least_and_most() -> None:
    header, rows = effects_table(explanation())
    assert header[2:4] == ("least", "most")
    assert rows[0] == ("E [GeV]", "y", "0.600 ± 0.050 at 0", "1.400 ± 0.050 at 1", "accumulated effects")
    assert rows[2][2:4] == ("0.100 ± 0.050 at false", "0.900 ± 0.050 at true")
    assert interactions_table(explanation().interactions)[1][0] == ("E [GeV] × kind", "0.020 ± 0.010", "0.30 ± 0.10")
    assert "E [GeV], which go together with other columns" in notes(explanation())[1]


@pytest.mark.slow
def test_files_hold_all_numbers_and_hostile_names_as_text(tmp_path: Path, cases: dict[str, Record]) -> None:
    found = explanation(importance=cases["hostile"].get(ImportanceTable))
    written = write_explanation(found, tmp_path, classes=True)
    written += write_explanation(explanation(attributions=(attributed(),), effects=()), tmp_path, classes=True)
    assert {path.name for path in written} | {"numbers.safetensors"} == {path.name for path in tmp_path.iterdir()}
    for path in tmp_path.glob("*.svg"):
        ElementTree.parse(path)
        assert "<script" not in path.read_text(encoding="utf-8")
    table = pl.read_csv(tmp_path / "partial_dependence.csv", infer_schema_length=None)
    assert table.height == 9 + 15 + 2
    assert table.filter(pl.col("column") == "kind")["accumulated"].is_nan().all()
    assert pl.read_csv(tmp_path / "attribution_3.csv").height == 20
    assert pl.read_csv(tmp_path / "interactions.csv")["h"].to_list() == [0.3, 0.3]


def test_parts_beyond_the_largest_are_one_bar() -> None:
    found = attributed()
    shown = attribution.figure_of(found, classes=False)
    assert len(shown.labels) == attribution.MOST
    assert shown.labels[-1] == "7 others"
    assert shown.parts.sum() == pytest.approx(found.parts.sum())
    assert len(attribution_table(found)[1]) == 20
    assert "Shapley values" in attribution_lines(explanation(attributions=(found,)))[0]
    attribution.draw(shown)


def test_of_many_classes_those_that_change_most_are_drawn() -> None:
    names = tuple("abcde")
    one = number("x", names)
    change = np.asarray([0.1, 0.9, 0.2, 0.8, 0.3])
    mean = one.partial.mean * change
    shown = partial_dependence.figure_of((replace(one, partial=replace(one.partial, mean=mean)),), classes=True)
    assert shown.names == ("b", "d", "e")
    assert "Of 5 classes those that change most" in shown.caption
    partial_dependence.draw(shown)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_any_number_of_panels_is_drawn(count: int) -> None:
    days = replace(number("day"), kind="date", grid=np.linspace(18_000, 19_000, 9))
    panels = (days, *(number(f"x{i}") for i in range(count - 1)))
    figure = partial_dependence.draw(partial_dependence.figure_of(panels, classes=False))
    assert len(figure.axes) == count


def test_figures_say_what_they_show(cases: dict[str, Record]) -> None:
    found = explanation()
    parts: list[tuple[object, Callable[..., object]]] = [
        (interactions.figure_of(found.interactions, classes=True), interactions.draw),  # type: ignore[arg-type]
        (partial_dependence.figure_of(found.effects, classes=False), partial_dependence.draw),
        (attribution.figure_of(attributed(4), classes=True), attribution.draw),
    ]
    for shown, draw in parts:
        assert str(shown.alt).endswith(".")  # type: ignore[attr-defined]
        assert str(shown.caption).endswith(".")  # type: ignore[attr-defined]
        draw(shown)


@pytest.mark.slow
def test_figures_hold_what_every_figure_promises(looks: Any, tmp_path: Path, cases: dict[str, Record]) -> None:
    several = tuple(f"class {i}" for i in range(3))
    effects = (number("E [GeV]", outputs=several), number("a name that is long [m]", outputs=several))
    parts = (
        explanation(importance=cases["hostile"].get(ImportanceTable)),
        explanation(effects=effects, interactions=None),
        explanation(attributions=(attributed(), attributed(4)), effects=(), interactions=None),
    )
    found = []
    for i, part in enumerate(parts):
        write_explanation(part, tmp_path / str(i), classes=bool(i % 2), units={"s": "GeV", "y": "GeV"})
        for name, figure in kept(tmp_path / str(i)).items():
            found += [f"{i}, {name}: {fault}" for fault in looks.broken_promises(figure, tmp_path / "again")]
    assert not found
